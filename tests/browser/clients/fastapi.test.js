// clients/python/examples/fastapi, used by a person.

import { journey } from "./journey.js";

journey("fastapi", {
  folder: "python/examples/fastapi",
  command: (port) => [".venv/bin/uvicorn", "app:app", "--port", port],
});
