// clients/typescript/examples/express, used by a person.

import { journey } from "./journey.js";

journey("express", {
  folder: "typescript/examples/express",
  command: () => ["node", "app.js"],
});
