// Every block of code in the README compiles, against the package as it is built.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, test } from "node:test";
import ts from "typescript";
import { VERSION } from "../src/version.js";

const path = (name: string) => fileURLToPath(new URL(name, import.meta.url));

/** What the README's reader has: an Express application in the middle of a request. */
const AROUND = `
import type { Countersign } from "@countersign/client";
import type { Express, Request, Response } from "express";
declare global {
  const client: Countersign;
  const app: Express;
  const req: Request & { session: { userId: string } };
  const res: Response;
  const request: { signal: AbortSignal; id: string };
  const userId: string;
  const challengeId: string;
  const factorId: string;
  const code: string;
  const recoveryCode: string;
  const token: string;
  function signIn(userId: string): void;
  function enroll(userId: string): void;
  function tell(text: string): void;
  function log(...what: unknown[]): void;
  function ask(question: string): Promise<string>;
  namespace Express {
    interface Request { session: { userId: string } }
  }
}
`;

/** A block as a module. What returns would stand in a function. */
function module_(code: string): string {
  const imports = code.match(/^import .*;$/gm) ?? [];
  const rest = code.replaceAll(/^import .*;$/gm, "");
  return `${imports.join("\n")}\nexport async function block() {\n${rest}\n}\n`;
}

describe("code in the README", () => {
  const readme = readFileSync(path("../README.md"), "utf8");
  const blocks = [...readme.matchAll(/^```(?:ts|js|typescript|javascript)\n(.*?)^```$/gms)].map(([, code = ""]) => code);
  // As if they lay here, so that they find the package by its name.
  const files = new Map(blocks.map((code, index) => [path(`block-${index}.ts`), module_(code)]));
  files.set(path("around.d.ts"), AROUND);

  const config = ts.readConfigFile(path("../tsconfig.json"), (name) => readFileSync(name, "utf8"));
  const { options } = ts.parseJsonConfigFileContent(config.config, ts.sys, path(".."));
  Object.assign(options, { noUnusedLocals: false, noImplicitReturns: false });
  const host = ts.createCompilerHost(options);
  const { fileExists, readFile } = host;
  host.fileExists = (name) => files.has(name) || fileExists.call(host, name);
  host.readFile = (name) => files.get(name) ?? readFile.call(host, name);
  const getSourceFile = host.getSourceFile.bind(host);
  host.getSourceFile = (name, how, ...rest) => {
    const text = files.get(name);
    return text === undefined ? getSourceFile(name, how, ...rest) : ts.createSourceFile(name, text, how);
  };
  const program = ts.createProgram([...files.keys()], options, host);

  test("is found", () => assert.ok(blocks.length >= 15, `${blocks.length} blocks`));

  test("stands on ground that compiles", () => {
    const around = program.getSourceFile(path("around.d.ts"));
    assert.ok(around);
    assert.deepEqual(told(ts.getPreEmitDiagnostics(program, around)), []);
  });

  blocks.forEach((code, index) => {
    const name = code.trim().split("\n").findLast((line) => !line.startsWith("import") && line.length > 3);
    test(`compiles: ${name}`, () => {
      const source = program.getSourceFile(path(`block-${index}.ts`));
      assert.ok(source);
      assert.deepEqual(told(ts.getPreEmitDiagnostics(program, source)), []);
    });
  });
});

function told(diagnostics: readonly ts.Diagnostic[]): string[] {
  return diagnostics.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n"));
}

test("what is to be typed to install it goes from one line to the next", (t) => {
  const readme = readFileSync(path("../README.md"), "utf8");
  const block = [...readme.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, lines = ""]) => lines).find((lines) => lines.includes("npm pack"));
  assert.ok(block);
  const folder = mkdtempSync(join(tmpdir(), "readme-"));
  t.after(() => rmSync(folder, { recursive: true }));
  for (const name of ["countersign/clients/typescript", "your-application"]) mkdirSync(join(folder, name), { recursive: true });
  // An npm that makes the package, and installs what is there.
  const pack = `touch countersign-client-${VERSION}.tgz`;
  const npm = `npm() { case "$1" in pack) ${pack} ;; install) test -f "$2" && echo installed ;; esac; }`;
  const shown = execFileSync("bash", ["-ec", `${npm}\n${block}`], { cwd: folder, encoding: "utf8" });
  assert.equal(shown, "installed\n");
});
