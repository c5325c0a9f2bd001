// Which address a call goes to, how often, for how long, and when it gives up. Nothing here sends
// or waits: the transport does what this says, and tells what came of it.

/** What came of an attempt. */
export type Outcome =
  | { kind: "unreachable" }
  | { kind: "overdue" }
  | { kind: "stranger" }
  | { kind: "answered"; status: number; code: string | null; retryAfterMs: number | null };

/** What to do next. */
export type Step = { kind: "send"; address: string; timeoutMs: number } | { kind: "end" };

const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 2_000;

/** Answers that tell of a node, or a way to it, that is not there now. */
const AWAY = new Set([502, 503, 504]);

/** Answers after which the same request may do better a moment later. */
export const PASSING: ReadonlySet<number> = new Set([...AWAY, 408, 429]);

/** Codes among them that waiting a moment does not change. */
const LASTING = new Set(["too_many_attempts", "too_many_sends", "delivery_not_configured"]);

/** The addresses of a service. All calls of a client begin with the one that answered last. */
export class Addresses {
  readonly all: readonly string[];
  #current = 0;

  constructor(all: readonly string[]) {
    this.all = all;
  }

  /** Where calls begin. */
  get current(): number {
    return this.#current;
  }

  /** Remembers which address answered. */
  answered(index: number): void {
    this.#current = index;
  }
}

/** One call on its way over addresses and attempts. */
export class Journey {
  readonly #addresses: Addresses;
  readonly #deadline: number;
  readonly #random: () => number;
  readonly #tried = new Set<number>();
  #index: number;
  #retriesLeft: number;
  #retries = 0;

  /**
   * @param deadline when the call has to end, in milliseconds of the clock that is asked with
   * @param retries how many attempts may follow at addresses that were tried already
   * @param random gives numbers from 0 up to 1
   */
  constructor(addresses: Addresses, deadline: number, retries: number, random: () => number) {
    this.#addresses = addresses;
    this.#deadline = deadline;
    this.#retriesLeft = retries;
    this.#random = random;
    this.#index = addresses.current;
  }

  /** Where the next attempt goes, and for how long it may take. */
  next(now: number): Step {
    const left = this.#deadline - now;
    if (left <= 0) return { kind: "end" };
    this.#tried.add(this.#index);
    const address = this.#addresses.all[this.#index] ?? "";
    // A silent node leaves as much time to the others as it took.
    const last = this.#retriesLeft === 0 && this.#tried.size === this.#addresses.all.length;
    return { kind: "send", address, timeoutMs: last ? left : left / 2 };
  }

  /** For how long to wait before the next attempt, in milliseconds; null when there is none. */
  after(outcome: Outcome, now: number): number | null {
    // Too many requests are too many for every node.
    const elsewhere = outcome.kind !== "answered" || AWAY.has(outcome.status);
    if (!elsewhere) this.#addresses.answered(this.#index);
    if (outcome.kind === "answered") {
      const lasting = outcome.code !== null && LASTING.has(outcome.code);
      if (lasting || !PASSING.has(outcome.status)) return null;
    }
    if (elsewhere) {
      const next = (this.#index + 1) % this.#addresses.all.length;
      if (!this.#tried.has(next)) {
        this.#index = next;
        return this.#deadline > now ? 0 : null;
      }
    }
    // What is not this service will not be a moment later either.
    if (outcome.kind === "stranger") return null;
    if (this.#retriesLeft === 0) return null;
    const longest = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** this.#retries);
    const asked = outcome.kind === "answered" ? outcome.retryAfterMs : null;
    const wait = asked ?? this.#random() * longest;
    if (now + wait >= this.#deadline) return null;
    if (elsewhere) this.#index = (this.#index + 1) % this.#addresses.all.length;
    this.#retriesLeft -= 1;
    this.#retries += 1;
    return wait;
  }
}
