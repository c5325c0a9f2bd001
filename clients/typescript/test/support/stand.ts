// Nodes of one's own, started by clients/stand.py.

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const SCRIPT = fileURLToPath(new URL("../../../stand.py", import.meta.url));

interface Told {
  urls: string[];
  key: string;
  names: string[];
  pids: number[];
}

/** Running nodes. */
export class Stand {
  readonly urls: readonly string[];
  readonly key: string;
  readonly #names: readonly string[];
  readonly #pids: number[];
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  private constructor(told: Told, child: ChildProcess, lines: AsyncIterator<string>) {
    this.urls = told.urls;
    this.key = told.key;
    this.#names = told.names;
    this.#pids = told.pids;
    this.#child = child;
    this.#lines = lines;
  }

  /** One node as `countersign dev`, or three that replicate. */
  static async start(kind: "dev" | "cluster"): Promise<Stand> {
    const child = spawn("python3", [SCRIPT, kind], { stdio: ["pipe", "pipe", "inherit"] });
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    return new Stand(await next<Told>(lines), child, lines);
  }

  /** The first node's address. */
  get url(): string {
    return this.urls[0] ?? "";
  }

  /** What a process's environment needs for a client that is given nothing. */
  get environment(): { COUNTERSIGN_URL: string; COUNTERSIGN_API_KEY: string } {
    return { COUNTERSIGN_URL: this.urls.join(","), COUNTERSIGN_API_KEY: this.key };
  }

  /** The index of a node by its name. */
  indexOf(name: string): number {
    return this.#names.indexOf(name);
  }

  /** Kills a node, as a power cut would: it has no moment to say so. */
  kill(index: number): void {
    const pid = this.#pids[index];
    assert.ok(pid !== undefined, `there is no node ${index}`);
    process.kill(pid, "SIGKILL");
  }

  /** Starts a node again that was killed, and waits until it serves. */
  async restart(index: number): Promise<void> {
    this.#child.stdin?.write(`${this.#names[index]}\n`);
    this.#pids[index] = (await next<{ pid: number }>(this.#lines)).pid;
  }

  /** Ends all. */
  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, "exit");
    this.#child.stdin?.end();
    await ended;
  }
}

async function next<T>(lines: AsyncIterator<string>): Promise<T> {
  const { value, done } = await lines.next();
  assert.ok(!done, "the nodes ended");
  return JSON.parse(value) as T;
}
