// The package as it is published: what is in it, and how it does in empty projects outside of this
// repository, for every compiler setting and runtime that it promises.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Stand } from "./support/stand.js";

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL("..", import.meta.url));
const RUNTIMES = join(ROOT, "node_modules/.runtimes");
/** The oldest compiler that the README promises. */
const OLDEST_TYPESCRIPT = "5.7.3";

const manifest = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
  version: string;
  devDependencies: Record<string, string>;
};

const scratch = mkdtempSync(join(realpathSync(tmpdir()), "countersign-packages-"));
after(() => rmSync(scratch, { recursive: true, force: true }));

let tarball = "";
let contents: string[] = [];

before(async () => {
  const pack = ["pack", "--ignore-scripts", "--json", "--pack-destination", scratch];
  const [packed] = JSON.parse((await npm(ROOT, ...pack)).stdout) as { filename: string; files: { path: string }[] }[];
  assert.ok(packed);
  tarball = join(scratch, packed.filename.replace("@", "").replace("/", "-"));
  contents = packed.files.map(({ path }) => path);
});

function npm(folder: string, ...args: string[]): Promise<{ stdout: string; stderr: string }> {
  return run("npm", args, { cwd: folder, timeout: 240_000, maxBuffer: 2 ** 26 });
}

/** A project with this package in it, and with what else it names. */
async function project(name: string, type: "module" | "commonjs", ...others: string[]): Promise<string> {
  const folder = join(scratch, name);
  mkdirSync(folder);
  writeFileSync(join(folder, "package.json"), JSON.stringify({ name, private: true, type }));
  const versions = others.map((other) => (other.includes("@", 1) ? other : `${other}@${manifest.devDependencies[other]}`));
  const quiet = ["--no-audit", "--no-fund", "--loglevel=error", "--prefer-offline"];
  await npm(folder, "install", ...quiet, tarball, ...versions);
  return folder;
}

/** What is printed; a failure shows it. */
async function output(folder: string, program: string, args: string[], env: NodeJS.ProcessEnv = {}): Promise<string> {
  const { NODE_TEST_CONTEXT: _, NODE_OPTIONS: __, ...inherited } = process.env;
  try {
    const { stdout, stderr } = await run(program, args, {
      cwd: folder,
      env: { ...inherited, NO_COLOR: "1", ...env },
      timeout: 180_000,
      maxBuffer: 2 ** 26,
    });
    return stdout + stderr;
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string };
    return assert.fail(`${program} ${args.join(" ")}: ${String(error)}\n${stdout ?? ""}${stderr ?? ""}`);
  }
}

describe("the package", () => {
  test("holds what it needs, and nothing else", () => {
    for (const needed of ["LICENSE", "README.md", "CHANGELOG.md", "package.json", "dist/esm/index.js", "dist/cjs/browser.d.ts"]) {
      assert.ok(contents.includes(needed), `${needed} is missing`);
    }
    const allowed = /^(LICENSE|README\.md|CHANGELOG\.md|package\.json|(dist\/(esm|cjs)|src)\/(?!.*test).*)$/;
    assert.deepEqual(contents.filter((path) => !allowed.test(path)), []);
  });

  test("holds the sources that its maps lead to", () => {
    for (const path of contents.filter((each) => each.endsWith(".map"))) {
      const { sources } = JSON.parse(readFileSync(join(ROOT, path), "utf8")) as { sources: string[] };
      for (const source of sources) {
        const meant = new URL(source, `file:///${path}`).pathname.slice(1);
        assert.ok(contents.includes(meant), `${path} leads to ${meant}`);
      }
    }
  });

  test("needs nothing else to be installed", () => {
    for (const kind of ["dependencies", "peerDependencies", "optionalDependencies"]) assert.ok(!(kind in manifest));
  });

  test("says its own version, here and in the README", async () => {
    const { VERSION } = await import("../src/index.js");
    assert.equal(VERSION, manifest.version);
    assert.ok(readFileSync(join(ROOT, "README.md"), "utf8").includes(`-${manifest.version}.tgz`));
  });
});

describe("compilers", () => {
  let folder = "";
  before(async () => {
    const types = ["@types/node", "typescript", `typescript-oldest@npm:typescript@${OLDEST_TYPESCRIPT}`];
    folder = await project("compilers", "module", ...types);
    cpSync(join(ROOT, "test/consumers/use.ts"), join(folder, "use.ts"));
    cpSync(join(ROOT, "test/consumers/use.ts"), join(folder, "use-cjs.cts"));
    const server = 'import { Countersign } from "@countersign/client";\nexport const client = new Countersign();\n';
    writeFileSync(join(folder, "server.ts"), server);
  });

  const strict = { noEmit: true, strict: true, exactOptionalPropertyTypes: true, target: "es2022" };
  const page = { ...strict, lib: ["es2022", "dom", "dom.iterable"], types: [], skipLibCheck: false };
  const settings: Record<string, { compilerOptions: object; files: string[] }> = {
    "node16, a module": { compilerOptions: { ...page, module: "node16" }, files: ["use.ts"] },
    "node16, CommonJS": { compilerOptions: { ...page, module: "node16" }, files: ["use-cjs.cts"] },
    "nodenext, a module": { compilerOptions: { ...page, module: "nodenext" }, files: ["use.ts"] },
    bundler: { compilerOptions: { ...page, module: "esnext", moduleResolution: "bundler" }, files: ["use.ts"] },
    node10: { compilerOptions: { ...page, module: "commonjs", moduleResolution: "node10" }, files: ["use.ts"] },
    "nodenext, a server that knows nothing of pages": {
      compilerOptions: { ...strict, module: "nodenext", lib: ["es2022"], types: ["node"], skipLibCheck: true },
      files: ["server.ts"],
    },
  };
  for (const [name, config] of Object.entries(settings)) {
    for (const compiler of ["typescript", "typescript-oldest"]) {
      if (compiler === "typescript-oldest" && !["node16, a module", "node10"].includes(name)) continue;
      test(`${compiler}: moduleResolution ${name}`, async () => {
        const file = `${name.replaceAll(/\W+/g, "-")}.json`;
        writeFileSync(join(folder, file), JSON.stringify(config));
        const tsc = join(folder, "node_modules", compiler, "bin/tsc");
        assert.equal(await output(folder, process.execPath, [tsc, "--project", file]), "");
      });
    }
  }
});

describe("the installed package", () => {
  const stands: Partial<Record<"dev" | "cluster", Stand>> = {};
  before(async () => {
    [stands.dev, stands.cluster] = await Promise.all([Stand.start("dev"), Stand.start("cluster")]);
  });
  after(() => Promise.all([stands.dev?.stop(), stands.cluster?.stop()]));
  const environment = (kind: "dev" | "cluster") => ({
    ...stands[kind]?.environment,
    SNIPPETS_INBOX: kind === "dev" ? "yes" : "",
  });

  for (const type of ["module", "commonjs"] as const) {
    describe(`in an application that is ${type === "module" ? "an ES module" : "CommonJS"}`, () => {
      let folder = "";
      before(async () => {
        const types = ["typescript", "@types/node", "@types/express", "@types/qrcode"];
        folder = await project(`application-${type}`, type, "express", "qrcode", ...types);
        cpSync(join(ROOT, "test/snippets"), join(folder, "test/snippets"), { recursive: true });
        for (const name of ["people.ts", "authenticator.ts"]) {
          cpSync(join(ROOT, "test/support", name), join(folder, "test/support", name));
        }
        const compile = ["--outDir", "out", "--rootDir", "test", "--module", "nodenext", "--target", "es2022"];
        const strictly = ["--strict", "--noUncheckedIndexedAccess", "--exactOptionalPropertyTypes", "--skipLibCheck"];
        const tsc = join(folder, "node_modules/typescript/bin/tsc");
        await output(folder, process.execPath, [tsc, ...compile, ...strictly, "test/snippets/all.ts"]);
      });

      for (const kind of ["dev", "cluster"] as const) {
        test(`the snippets run against ${kind === "dev" ? "`countersign dev`" : "three nodes"}`, async () => {
          const told = await output(folder, process.execPath, ["--test", "out/snippets/all.js"], environment(kind));
          const count = (what: string) => Number(new RegExp(`^. ${what} (\\d+)$`, "m").exec(told)?.[1]);
          assert.equal(count("fail"), 0, told);
          assert.ok(count("pass") >= 9, told);
        });
      }
    });
  }

  test("CommonJS and modules have the same names", async () => {
    const folder = await project("require", "commonjs");
    cpSync(join(ROOT, "test/consumers/require.cjs"), join(folder, "require.cjs"));
    assert.equal(await output(folder, process.execPath, ["require.cjs"]), "done\n");
  });

  describe("in other runtimes", () => {
    let folder = "";
    before(async () => {
      folder = await project("runtimes", "module", "typescript", "@types/node");
      cpSync(join(ROOT, "test/consumers/smoke.mjs"), join(folder, "smoke.mjs"));
      cpSync(join(ROOT, "test/support/people.ts"), join(folder, "people.ts"));
      const tsc = join(folder, "node_modules/typescript/bin/tsc");
      await output(folder, process.execPath, [tsc, "--module", "nodenext", "--target", "es2022", "people.ts"]);
    });

    /** Where a runtime is that is no dependency of this package; null if it cannot be had. */
    async function runtime(name: string, version: string): Promise<string | null> {
      const program = join(RUNTIMES, name, "node_modules/.bin", name);
      if (!existsSync(program)) {
        const quiet = ["--no-save", "--no-audit", "--no-fund", "--loglevel=error", "--prefer-offline"];
        mkdirSync(join(RUNTIMES, name), { recursive: true });
        const prefix = ["--prefix", join(RUNTIMES, name)];
        await npm(scratch, "install", ...prefix, ...quiet, `${name}@${version}`).catch(() => undefined);
      }
      return run(program, ["--version"]).then(() => program, () => null);
    }

    function looksWell(told: string): void {
      assert.match(told, /secret: \d+ done/);
      assert.match(told, /redacted/);
      assert.ok(!/csk_|otpauth:|eyJ/.test(told), told);
    }

    test("Node.js", async () => {
      looksWell(await output(folder, process.execPath, ["smoke.mjs"], environment("dev")));
    });

    test("Deno, which may reach the nodes and read two variables, and no more", async (t) => {
      const deno = await runtime("deno", "2.9.6");
      if (deno === null) return t.skip("Deno cannot be had here");
      const hosts = stands.dev?.urls.map((url) => new URL(url).host).join() ?? "";
      const may = [`--allow-net=${hosts}`, "--allow-env=COUNTERSIGN_URL,COUNTERSIGN_API_KEY"];
      const args = ["run", "--no-prompt", "--node-modules-dir=manual", ...may, "smoke.mjs"];
      looksWell(await output(folder, deno, args, environment("dev")));
    });

    test("Deno, which may read no variables, says what is missing", async (t) => {
      const deno = await runtime("deno", "2.9.6");
      if (deno === null) return t.skip("Deno cannot be had here");
      const code = 'import { Countersign } from "@countersign/client"; try { new Countersign(); } catch (e) { console.log(e.message); }';
      writeFileSync(join(folder, "bare.mjs"), code);
      const args = ["run", "--no-prompt", "--node-modules-dir=manual", "bare.mjs"];
      assert.match(await output(folder, deno, args), /Give baseUrl, or set COUNTERSIGN_URL/);
    });

    test("Bun", async (t) => {
      const bun = await runtime("bun", "1.4.5");
      if (bun === null) return t.skip("Bun cannot be had here");
      looksWell(await output(folder, bun, ["run", "smoke.mjs"], environment("dev")));
    });
  });
});
