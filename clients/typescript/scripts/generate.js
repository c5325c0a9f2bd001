// Makes src/generated/openapi.ts from the server's document, or says with --check that it is old.

import { readFile, writeFile } from "node:fs/promises";
import openapiTS, { astToString } from "openapi-typescript";

const document = new URL("../../openapi.json", import.meta.url);
const target = new URL("../src/generated/openapi.ts", import.meta.url);

// The shapes of requests and answers. Addresses stand in the resources: as types they would be
// ten times as long, and nobody would read them.
const contract = { ...JSON.parse(await readFile(document, "utf8")), paths: {} };
const types = astToString(await openapiTS(contract, { alphabetize: true }));
const text = `// Made from clients/openapi.json by \`make clients\`; not to be edited.\n\n${types}`;

if (process.argv.includes("--check")) {
  const found = await readFile(target, "utf8").catch(() => "");
  if (found !== text) {
    console.error("typescript: src/generated/openapi.ts is old; run: make clients");
    process.exit(1);
  }
} else {
  await writeFile(target, text);
}
