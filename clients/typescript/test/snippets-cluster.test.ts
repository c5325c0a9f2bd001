// The snippets of the documentation, as they stand there, against three nodes.

import { after } from "node:test";
import { Stand } from "./support/stand.js";

const stand = await Stand.start("cluster");
after(() => stand.stop());
Object.assign(process.env, stand.environment);
await import("./snippets/all.js");
