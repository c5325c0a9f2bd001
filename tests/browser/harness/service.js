// A node of one's own, as a newcomer starts it: `countersign dev --ephemeral`, on a free port.

import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import path from "node:path";

export const ROOT = path.resolve(import.meta.dirname, "../../..");

/** How long the program may take to come up, or to end. */
const PATIENCE_MS = 60_000;

/**
 * A message that the node would have sent.
 * @typedef {{ id: string, channel: "SMS" | "EMAIL", to: string, code: string, text: string }} Message
 */

/**
 * An answer of the API.
 * @typedef {{ status: number, body: any }} Answer
 */

function binary() {
  const targets = [process.env.CARGO_TARGET_DIR, path.join(ROOT, "target")];
  const places = [
    process.env.COUNTERSIGN_BIN,
    ...targets.map((target) => target && path.join(target, "release/countersign")),
  ];
  const found = places.find((place) => place && existsSync(place));
  if (!found) throw new Error(`no program at ${places.filter(Boolean).join(", ")}: run make build`);
  return found;
}

/** A running node. */
export class Service {
  /** @type {import("node:child_process").ChildProcess} */
  #child;
  /** @type {Promise<void>} */
  #ended;

  /**
   * @param {import("node:child_process").ChildProcess} child
   * @param {Promise<void>} ended
   * @param {string} url
   * @param {string} key
   */
  constructor(child, ended, url, key) {
    this.#child = child;
    this.#ended = ended;
    /** Where it is reached, `http://localhost:PORT`. */
    this.url = url;
    /** Its root key. */
    this.key = key;
  }

  /**
   * Starts a node and waits until it greets.
   * @param {Record<string, string>} [settings] further settings, as variables of the environment
   * @returns {Promise<Service>}
   */
  static start(settings = {}) {
    const args = ["dev", "--ephemeral", "--listen", "127.0.0.1:0"];
    const { PATH, HOME, TMPDIR } = process.env;
    const child = spawn(binary(), args, {
      env: { PATH, HOME, TMPDIR, ...settings },
      stdio: ["ignore", "pipe", "pipe"],
    });
    /** @type {Promise<void>} */
    const ended = new Promise((resolve) => child.once("exit", () => resolve()));
    // Nothing that a test starts outlives it, however it ends.
    const kill = () => child.kill("SIGKILL");
    process.once("exit", kill);
    void ended.then(() => process.off("exit", kill));
    return new Promise((resolve, reject) => {
      let said = "";
      /** @param {string} why */
      const fail = (why) => {
        child.kill("SIGKILL");
        reject(new Error(`${why}:\n${said}`));
      };
      const late = setTimeout(() => fail("the node did not come up"), PATIENCE_MS);
      void ended.then(() => fail("the node ended"));
      /** @param {Buffer} chunk */
      const hear = (chunk) => {
        said += chunk;
        const url = /^ +API +(\S+)\/v1$/m.exec(said)?.[1];
        const key = /^ +Key +(\S+)$/m.exec(said)?.[1];
        if (!url || !key) return;
        clearTimeout(late);
        resolve(new Service(child, ended, url, key));
      };
      child.stdout.on("data", hear);
      child.stderr.on("data", hear);
    });
  }

  /** Ends it. */
  async stop() {
    this.#child.kill("SIGTERM");
    const late = setTimeout(() => this.#child.kill("SIGKILL"), PATIENCE_MS);
    await this.#ended;
    clearTimeout(late);
  }

  /**
   * Calls the API with the root key, as an application's server does.
   * @param {string} method
   * @param {string} route below `/v1/`
   * @param {unknown} [body]
   * @returns {Promise<Answer>}
   */
  async api(method, route, body) {
    const answer = await fetch(`${this.url}/v1/${route}`, {
      method,
      headers: {
        authorization: `Bearer ${this.key}`,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    return { status: answer.status, body: text === "" ? null : JSON.parse(text) };
  }

  /**
   * As [`api`], and what was asked has to be done.
   * @param {string} method
   * @param {string} route
   * @param {unknown} [body]
   * @returns {Promise<any>} the body
   */
  async done(method, route, body) {
    const answer = await this.api(method, route, body);
    if (answer.status >= 300) {
      throw new Error(`${method} ${route}: ${answer.status} ${JSON.stringify(answer.body)}`);
    }
    return answer.body;
  }

  /**
   * What was sent, the newest first.
   * @param {string} [to] to this number or address alone
   * @returns {Promise<Message[]>}
   */
  async messages(to) {
    const wanted = to === undefined ? "" : `?to=${encodeURIComponent(to)}`;
    const answer = await fetch(`${this.url}/dev/messages${wanted}`);
    return (await answer.json()).data;
  }

  /**
   * The code of the next message to this number or address, once it is there.
   * @param {string} to
   * @param {string} [after] the id of the message before
   * @returns {Promise<string>}
   */
  async code(to, after) {
    const message = await until(`a message to ${to}`, async () => {
      const [newest] = await this.messages(to);
      return newest && newest.id !== after ? newest : undefined;
    });
    return message.code;
  }
}

/**
 * Waits until `look` finds something.
 * @template T
 * @param {string} what it is waited for
 * @param {() => Promise<T | undefined> | T | undefined} look
 * @returns {Promise<T>}
 */
export async function until(what, look) {
  const deadline = Date.now() + 30_000;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (Date.now() > deadline) throw new Error(`waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
