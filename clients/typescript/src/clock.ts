// Time and chance, so that tests can have their own.

/** What a client knows of time and chance. */
export interface Clock {
  /** Milliseconds that only go forward. */
  now(): number;
  /** The time of day, in milliseconds since 1970. */
  wall(): number;
  /** Calls back later, unless what it gives is called before. */
  after(ms: number, call: () => void): () => void;
  /** A number from 0 up to 1. */
  random(): number;
}

/** The longest that a timer of any platform waits; beyond it, it would not wait at all. */
const LONGEST_MS = 2 ** 31 - 1;

/** The platform's. */
export const platform: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  after(ms, call) {
    const timer = setTimeout(call, Math.min(ms, LONGEST_MS));
    return () => clearTimeout(timer);
  },
  random: () => Math.random(),
};
