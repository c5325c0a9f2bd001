// A call as the resources describe it, before anything is sent.

/** What concerns one call alone. */
export interface CallOptions {
  /** Ends the call early; it is then rejected with the signal's reason. */
  signal?: AbortSignal | undefined;
  /** For how long the call may take, retries included, in milliseconds. */
  timeout?: number | undefined;
  /**
   * The key under which a write is done once, however often it is sent: 1 to 255 printable ASCII
   * characters, with no space at its ends. Made anew for each call unless given; the same over its
   * retries.
   */
  idempotencyKey?: string | undefined;
}

/** A request to the service. */
export interface Call {
  /** The operation's name in the contract. */
  operation: string;
  method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Below the address, beginning with a slash; see `path`. */
  path: string;
  query?: Readonly<Record<string, string | number | undefined>> | undefined;
  /** What becomes JSON. */
  body?: unknown;
  /** What the answer is. */
  answer?: "json" | "page" | "text" | "nothing";
  /** Names of members of the answer that are secrets. */
  secrets?: ReadonlySet<string>;
  /** Whether the API key goes with it; so unless it is false. */
  authenticated?: boolean;
}

/**
 * A path with ids in it, each escaped.
 *
 * @throws TypeError if an id is empty, or would mean another place in an address
 */
export function path(parts: TemplateStringsArray, ...ids: readonly string[]): string {
  return parts.reduce((whole, part, index) => {
    const id: unknown = ids[index - 1];
    if (typeof id !== "string" || id === "" || id === "." || id === "..") {
      throw new TypeError(`an id must be a text that is not empty and neither "." nor ".."`);
    }
    return whole + encodeURIComponent(id) + part;
  });
}
