// Sends calls, as often as it takes and for as long as it may.

import { type Answer, outcomeOf, problemFrom, stranger, valueOf } from "./answer.js";
import type { Call, CallOptions } from "./call.js";
import type { Clock } from "./clock.js";
import { ConnectionError, CountersignError, TimeoutError } from "./errors.js";
import { redact } from "./redact.js";
import { Addresses, Journey } from "./retry.js";
import { VERSION } from "./version.js";

/** What fetches: the platform's `fetch`, or what stands in for it. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** What a transport is made of. */
export interface TransportOptions {
  addresses: readonly string[];
  apiKey: string;
  timeoutMs: number;
  maxRetries: number;
  fetch: Fetch;
  clock: Clock;
}

/** No answer of this service comes near. */
const LONGEST_BODY = 16 * 2 ** 20;

/** What came of an attempt. */
type Attempt =
  | { kind: "success"; answer: Answer; value: unknown }
  | { kind: "failure"; answer: Answer }
  | { kind: "overdue" }
  | { kind: "stranger"; error: CountersignError }
  | { kind: "unreachable"; cause: unknown };

/** What the resources send calls with. */
export class Transport {
  readonly #options: TransportOptions;
  readonly #addresses: Addresses;

  constructor(options: TransportOptions) {
    this.#options = options;
    this.#addresses = new Addresses(options.addresses);
  }

  /** Time and chance. */
  get clock(): Clock {
    return this.#options.clock;
  }

  /**
   * Does a call.
   *
   * @throws ConnectionError, TimeoutError, ProblemError; the signal's reason if it was aborted
   */
  async send<T>(call: Call, options: CallOptions = {}): Promise<T> {
    const { value } = await this.#settle(call, options);
    return (call.secrets === undefined ? value : redact(value, call.secrets)) as T;
  }

  /** The headers of a successful answer, and its JSON. */
  async read<T>(call: Call, options: CallOptions = {}): Promise<{ value: T; headers: Headers }> {
    const { answer, value } = await this.#settle(call, options);
    return { value: value as T, headers: answer.headers };
  }

  async #settle(call: Call, options: CallOptions): Promise<{ answer: Answer; value: unknown }> {
    const { clock, timeoutMs, maxRetries } = this.#options;
    const timeout = options.timeout ?? timeoutMs;
    if (!(timeout > 0)) throw new TypeError("timeout must be more than 0");
    const deadline = clock.now() + timeout;
    const journey = new Journey(this.#addresses, deadline, maxRetries, () => clock.random());
    const init = this.#request(call, options);
    const late = () => new TimeoutError(`${call.operation}: no answer within ${timeout} ms`);
    for (;;) {
      const step = journey.next(clock.now());
      if (step.kind === "end") throw late();
      const attempt = await this.#attempt(call, step.address, init, step.timeoutMs, options.signal);
      const outcome = "answer" in attempt ? outcomeOf(attempt.answer, clock.wall()) : attempt;
      const wait = journey.after(outcome, clock.now());
      if (attempt.kind === "success") return attempt;
      if (wait === null) {
        switch (attempt.kind) {
          case "failure":
            throw problemFrom(call, attempt.answer, clock.wall());
          case "overdue":
            throw late();
          case "stranger":
            throw attempt.error;
          case "unreachable":
            throw unreachable(call, step.address, attempt.cause);
        }
      }
      if (wait > 0) await this.#wait(wait, options.signal);
    }
  }

  #request(call: Call, options: CallOptions): RequestInit {
    const headers: Record<string, string> = {
      accept: call.answer === "text" ? "*/*" : "application/json",
      "user-agent": `countersign-typescript/${VERSION}`,
    };
    if (call.authenticated !== false) headers["authorization"] = `Bearer ${this.#options.apiKey}`;
    if (call.method !== "GET") {
      headers["idempotency-key"] = keyOf(options.idempotencyKey ?? crypto.randomUUID());
    }
    // Some frameworks' fetch keeps answers for whoever asks next, unless told not to.
    const how = { cache: "no-store", redirect: "manual" } as const;
    const init: RequestInit = { method: call.method, headers, ...how };
    if (call.body !== undefined) {
      headers["content-type"] = "application/json";
      init.body = JSON.stringify(call.body);
    }
    return init;
  }

  async #attempt(
    call: Call,
    address: string,
    init: RequestInit,
    timeoutMs: number,
    signal: AbortSignal | undefined,
  ): Promise<Attempt> {
    signal?.throwIfAborted();
    const controller = new AbortController();
    const overdue = Symbol("overdue");
    const cancel = this.#options.clock.after(timeoutMs, () => controller.abort(overdue));
    const abort = () => controller.abort(signal?.reason);
    signal?.addEventListener("abort", abort, { once: true });
    // Not every fetch that is injected looks at its signal.
    const ended = new Promise<never>((_, reject) => {
      controller.signal.addEventListener("abort", () => reject(controller.signal.reason));
    });
    ended.catch(() => undefined);
    const exchange = async (): Promise<Attempt> => {
      const url = address + call.path + queryOf(call);
      const response = await this.#options.fetch(url, { ...init, signal: controller.signal });
      const { status, headers } = response;
      const answer = { status, headers, text: await textOf(call, response) };
      if (status >= 400) return { kind: "failure", answer };
      return { kind: "success", answer, value: valueOf(call, answer) };
    };
    try {
      return await Promise.race([exchange(), ended]);
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      if (error instanceof CountersignError) return { kind: "stranger", error };
      if (controller.signal.reason === overdue) return { kind: "overdue" };
      return { kind: "unreachable", cause: error };
    } finally {
      cancel();
      signal?.removeEventListener("abort", abort);
    }
  }

  async #wait(ms: number, signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    return new Promise((resolve, reject) => {
      const abort = () => {
        cancel();
        reject(signal?.reason);
      };
      const cancel = this.#options.clock.after(ms, () => {
        signal?.removeEventListener("abort", abort);
        resolve();
      });
      signal?.addEventListener("abort", abort, { once: true });
    });
  }
}

/** What stands for a write, if the service takes it. */
function keyOf(idempotencyKey: string): string {
  // Spaces at its ends would be lost on the way, and two keys be one.
  const fits = /^[\x21-\x7e](?:[\x20-\x7e]{0,253}[\x21-\x7e])?$/;
  if (typeof idempotencyKey === "string" && fits.test(idempotencyKey)) return idempotencyKey;
  throw new TypeError("idempotencyKey must be 1 to 255 printable ASCII characters, with no space at its ends");
}

/** The whole body. */
async function textOf(call: Call, response: Response): Promise<string> {
  // There is none, or a fetch that was injected has streams of another kind.
  if (typeof response.body?.getReader !== "function") return response.text();
  const decoder = new TextDecoder();
  const reader = response.body.getReader();
  let text = "";
  let length = 0;
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return text + decoder.decode();
    length += value.byteLength;
    if (length > LONGEST_BODY) {
      await reader.cancel();
      throw stranger(call, response, `its body is longer than ${LONGEST_BODY} bytes`);
    }
    text += decoder.decode(value, { stream: true });
  }
}

function queryOf(call: Call): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(call.query ?? {})) {
    if (value !== undefined) query.set(name, String(value));
  }
  const text = query.toString();
  return text === "" ? "" : `?${text}`;
}

/** The reason without what a platform may put in it: it is in `cause`. */
function unreachable(call: Call, address: string, cause: unknown): CountersignError {
  const inner = cause instanceof Error ? (cause.cause ?? cause) : cause;
  const code = (inner as { code?: unknown } | null)?.code;
  const why = typeof code === "string" ? ` (${code})` : "";
  return new ConnectionError(`${call.operation}: ${address} cannot be reached${why}`, { cause });
}
