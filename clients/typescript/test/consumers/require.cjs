// CommonJS has the same things under the same names, and so have both kinds of module in one process.

const assert = require("node:assert/strict");
const { Countersign, CountersignError, VERSION } = require("@countersign/client");
const { register } = require("@countersign/client/browser");
const { version } = require("@countersign/client/package.json");

assert.equal(VERSION, version);
assert.equal(typeof register, "function");
const client = new Countersign({ baseUrl: "http://node", apiKey: "csk_test" });
assert.equal(typeof client.auth.mfa.verify, "function");
assert.ok(new CountersignError("x") instanceof Error);
import("@countersign/client").then((modules) => {
  assert.deepEqual(Object.keys(require("@countersign/client")).sort(), Object.keys(modules).filter((name) => name !== "default" && name !== "module.exports").sort());
  console.log("done");
});
