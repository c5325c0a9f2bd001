// An example of clients/, started as its README says.

import { spawn } from "node:child_process";
import { createServer } from "node:net";
import path from "node:path";

import { until } from "../harness/index.js";
import { ROOT } from "../harness/service.js";

/** @typedef {import("../harness/index.js").Scene} Scene */

/**
 * How an example is started.
 * @typedef {object} Example
 * @property {string} folder below clients/
 * @property {(port: string) => string[]} command run in that folder
 */

/** A running example. */
export class Application {
  /** Where it is reached. */
  url = "";
  /** @type {import("node:child_process").ChildProcess | undefined} */
  #child;

  /**
   * Starts an example and waits until it serves.
   * @param {Scene} scene whose node it uses
   * @param {Example} example
   */
  async start(scene, { folder, command }) {
    const port = await freePort();
    this.url = `http://localhost:${port}`;
    const [program = "", ...args] = command(String(port));
    const { PATH, HOME } = process.env;
    const { url, key } = scene.service;
    const child = spawn(program, args, {
      cwd: path.join(ROOT, "clients", folder),
      env: { PATH, HOME, PORT: String(port), COUNTERSIGN_URL: url, COUNTERSIGN_API_KEY: key },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#child = child;
    process.once("exit", () => child.kill("SIGKILL"));
    let said = "";
    child.stdout.on("data", (chunk) => (said += chunk));
    child.stderr.on("data", (chunk) => (said += chunk));
    await until(`${folder} to serve`, async () => {
      if (child.exitCode !== null) throw new Error(`${folder} ended:\n${said}`);
      const answer = await fetch(`${this.url}/sign-in`).catch(() => undefined);
      return answer?.ok || undefined;
    });
  }

  /** Ends it. */
  async stop() {
    const child = this.#child;
    if (!child || child.exitCode !== null) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGTERM");
    await ended;
  }
}

/** @returns {Promise<number>} a port that nobody listens on */
function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      const port = address && typeof address === "object" ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}
