// The snippets of the documentation, as they stand there, against `countersign dev`.

import { after } from "node:test";
import { Stand } from "./support/stand.js";

const stand = await Stand.start("dev");
after(() => stand.stop());
Object.assign(process.env, stand.environment, { SNIPPETS_INBOX: "yes" });
for (const name of ["policy", "totp", "factors", "login", "remember", "messages", "recovery", "webauthn"]) {
  await import(`./snippets/${name}.js`);
}
