// Calls the API with the key that the tab holds.

/**
 * @typedef {object} FieldError
 * @property {string} pointer
 * @property {string} detail
 */

/** An answer that is a refusal (RFC 9457), or none at all. */
export class Problem extends Error {
  /**
   * @param {number} status 0 if there was no answer
   * @param {string} code
   * @param {string} detail
   * @param {string} [requestId]
   * @param {FieldError[]} [errors]
   */
  constructor(status, code, detail, requestId = "", errors = []) {
    super(detail);
    this.name = "Problem";
    this.status = status;
    this.code = code;
    this.requestId = requestId;
    this.errors = errors;
  }
}

/**
 * A page of a listing.
 * @template T
 * @typedef {object} List
 * @property {T[]} data
 * @property {string | null} nextCursor
 */

/** Reads that found no answer are tried so often, so many milliseconds after each other. */
const AGAIN = [300, 900];

/**
 * A value that nobody else makes: `randomUUID` is there on secure origins alone.
 */
function once() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * @param {number} millis
 * @param {AbortSignal | undefined} signal
 * @returns {Promise<void>}
 */
function wait(millis, signal) {
  return new Promise((resolve, reject) => {
    const end = () => reject(signal?.reason);
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", end);
      resolve();
    }, millis);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      end();
    });
  });
}

/** A caller of the API. */
export class Api {
  /** @type {string} */
  #key;
  /** @type {() => void} */
  #refused;

  /**
   * @param {string} key
   * @param {() => void} refused is told when the key is none any more
   */
  constructor(key, refused) {
    this.#key = key;
    this.#refused = refused;
  }

  /**
   * Reads; what finds no answer is asked again.
   * @param {string} path below `/v1/`
   * @param {AbortSignal} [signal]
   * @returns {Promise<any>}
   */
  async get(path, signal) {
    for (const pause of AGAIN) {
      try {
        return await this.#ask("GET", path, undefined, {}, signal);
      } catch (error) {
        const later = error instanceof Problem && (error.status === 0 || error.status === 503);
        if (!later) throw error;
        await wait(pause, signal);
      }
    }
    return this.#ask("GET", path, undefined, {}, signal);
  }

  /**
   * Writes. Without an answer it is asked again under the same idempotency key, so that it is done
   * once however often it is asked.
   * @param {"POST" | "PUT" | "PATCH" | "DELETE"} method
   * @param {string} path below `/v1/`
   * @param {unknown} [body]
   * @returns {Promise<any>}
   */
  async change(method, path, body) {
    const headers = { "idempotency-key": once() };
    for (const pause of AGAIN) {
      try {
        return await this.#ask(method, path, body, headers);
      } catch (error) {
        const later = error instanceof Problem && (error.status === 0 || error.status === 503);
        if (!later) throw error;
        await wait(pause, undefined);
      }
    }
    return this.#ask(method, path, body, headers);
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {unknown} body
   * @param {Record<string, string>} headers
   * @param {AbortSignal} [signal]
   * @returns {Promise<any>}
   */
  async #ask(method, path, body, headers, signal) {
    /** @type {RequestInit} */
    const request = {
      method,
      headers: { ...headers, authorization: `Bearer ${this.#key}` },
      cache: "no-store",
      credentials: "omit",
      referrerPolicy: "no-referrer",
    };
    if (signal) request.signal = signal;
    if (body !== undefined) {
      request.body = JSON.stringify(body);
      request.headers = { ...request.headers, "content-type": "application/json" };
    }
    let answer;
    let text;
    try {
      answer = await fetch(`/v1/${path}`, request);
      text = await answer.text();
    } catch (error) {
      if (signal?.aborted) throw error;
      throw new Problem(0, "no_answer", "The node does not answer.");
    }
    if (answer.ok) return text === "" ? null : JSON.parse(text);
    const problem = read(answer.status, text);
    if (problem.status === 401) this.#refused();
    throw problem;
  }
}

/**
 * @param {number} status
 * @param {string} text
 */
function read(status, text) {
  try {
    const { code, detail, requestId, errors } = JSON.parse(text);
    return new Problem(status, String(code), String(detail), String(requestId), errors ?? []);
  } catch {
    return new Problem(status, "unknown", `The node answered ${status}.`);
  }
}

/**
 * A query string of what there is.
 * @param {Record<string, string | number | null | undefined>} parameters
 */
export function query(parameters) {
  const known = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== null && value !== undefined && value !== "") known.set(name, String(value));
  }
  const text = known.toString();
  return text === "" ? "" : `?${text}`;
}
