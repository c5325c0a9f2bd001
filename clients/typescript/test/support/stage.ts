// A service in memory, with time and chance of its own.

import assert from "node:assert/strict";
import { Countersign, type CountersignOptions } from "../../src/index.js";
import type { Clock } from "../../src/clock.js";

export const KEY = "csk_0123456789abcdefghijklmnopqrstuv";

type Construct = new (options: CountersignOptions, clock: Clock) => Countersign;

/** A client with a clock of its own. */
export function clientWith(options: CountersignOptions, clock: Clock): Countersign {
  return new (Countersign as unknown as Construct)({ apiKey: KEY, ...options }, clock);
}

interface Timer {
  at: number;
  call: () => void;
}

/** A clock that moves when somebody waits for nothing else. */
export class Hands implements Clock {
  #now = 0;
  readonly #epoch: number;
  readonly #random: number;
  #timers: Timer[] = [];
  /** How long was waited since it was last asked, in milliseconds. */
  waited = 0;
  /** Whether somebody waits for an answer, so that a timer is its deadline and no wait. */
  exchanging = false;
  /** The deadline of the exchange under way, in milliseconds from its beginning. */
  allowed = 0;

  constructor(epochSeconds = 1_764_000_000, random = 0.5) {
    this.#epoch = epochSeconds * 1000;
    this.#random = random;
  }

  now(): number {
    return this.#now;
  }

  wall(): number {
    return this.#epoch + this.#now;
  }

  random(): number {
    return this.#random;
  }

  /** Moves to a time of day. */
  moveTo(epochSeconds: number): void {
    this.#now = epochSeconds * 1000 - this.#epoch;
  }

  after(ms: number, call: () => void): () => void {
    const timer = { at: this.#now + ms, call };
    this.#timers.push(timer);
    this.allowed = ms;
    // A wait between two attempts takes no time, once nothing else is to be done.
    setImmediate(() => {
      if (this.exchanging || !this.#timers.includes(timer)) return;
      this.waited += ms;
      this.#fire(timer);
    });
    return () => {
      this.#timers = this.#timers.filter((each) => each !== timer);
    };
  }

  /** Lets the time come until which the exchange under way may last. */
  runOut(): void {
    const [timer] = this.#timers;
    assert.ok(timer, "nobody waits");
    this.#fire(timer);
  }

  #fire(timer: Timer): void {
    this.#timers = this.#timers.filter((each) => each !== timer);
    this.#now = Math.max(this.#now, timer.at);
    timer.call();
  }
}

/** What became of a request. */
export interface Played {
  refused?: true;
  broken?: true;
  silent?: true;
  status?: number;
  headers?: Record<string, string>;
  body?: unknown;
}

/** Answers a request as a case plays it. */
export function play(outcome: Played, clock: Hands, signal: AbortSignal | null | undefined): Promise<Response> {
  if (outcome.refused || outcome.broken) {
    const code = outcome.refused ? "ECONNREFUSED" : "UND_ERR_SOCKET";
    return Promise.reject(new TypeError("fetch failed", { cause: Object.assign(new Error(code), { code }) }));
  }
  if (outcome.silent) {
    return new Promise((_, reject) => {
      signal?.addEventListener("abort", () => reject(signal.reason));
      setImmediate(() => clock.runOut());
    });
  }
  return Promise.resolve(answer(outcome));
}

/** An answer as a case describes it. */
export function answer({ status = 200, headers = {}, body }: Played): Response {
  const hasBody = body !== undefined && body !== null;
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const type: Record<string, string> = hasBody && typeof body !== "string" ? { "content-type": "application/json" } : {};
  const init = { status, headers: { ...type, ...headers } };
  return new Response(hasBody && ![204, 304].includes(status) ? text : null, init);
}
