// Builds dist/: the same sources as ES modules and as CommonJS, each with its own types.

import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const tsc = fileURLToPath(new URL("../node_modules/typescript/bin/tsc", import.meta.url));

rmSync(`${root}/dist`, { recursive: true, force: true });
for (const [kind, module] of [
  ["esm", "nodenext"],
  ["cjs", "commonjs"],
]) {
  const resolution = module === "nodenext" ? "nodenext" : "node10";
  const out = `${root}/dist/${kind}`;
  mkdirSync(out, { recursive: true });
  const project = ["--project", `${root}/tsconfig.build.json`, "--outDir", out];
  const shape = ["--module", module, "--moduleResolution", resolution];
  execFileSync(process.execPath, [tsc, ...project, ...shape], { stdio: "inherit" });
  // What tells Node.js how to read the files beneath.
  const type = kind === "esm" ? "module" : "commonjs";
  writeFileSync(`${out}/package.json`, `${JSON.stringify({ type })}\n`);
}
