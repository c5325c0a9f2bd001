import type { Call, CallOptions } from "../call.js";
import { ConnectionError } from "../errors.js";
import { List, Page } from "../pagination.js";
import type { Transport } from "../transport.js";

/** A page of rows, as the service answers. */
interface Rows<T> {
  data: T[];
  nextCursor?: string | null;
}

/**
 * A page of rows, asked for.
 *
 * @throws ConnectionError if it would lead to itself for ever
 */
export async function rows<T>(
  transport: Transport,
  call: Call,
  options: CallOptions | undefined,
): Promise<Required<Rows<T>>> {
  const page = await transport.send<Rows<T>>({ ...call, answer: "page" }, options);
  const nextCursor = page.nextCursor ?? null;
  if (nextCursor !== null && nextCursor === call.query?.["cursor"]) {
    throw new ConnectionError(`${call.operation}: the service gave the same cursor twice`);
  }
  return { data: page.data, nextCursor };
}

/** Which page of a list, and how long a page is. */
export interface PageWish {
  /** Rows on a page, at most 200; 50 unless given. */
  limit?: number | undefined;
  /** The `nextCursor` of the page before. */
  cursor?: string | undefined;
}

/** A list whose pages are fetched as they are needed. */
export function list<T>(
  transport: Transport,
  operation: string,
  path: string,
  wishes: PageWish & Readonly<Record<string, string | number | undefined>>,
  options: CallOptions | undefined,
): List<T> {
  const fetch = async (cursor: string | undefined): Promise<Page<T>> => {
    const query = { ...wishes, cursor };
    const call = { operation, method: "GET", path, query } as const;
    const { data, nextCursor } = await rows<T>(transport, call, options);
    return new Page(data, nextCursor, fetch);
  };
  return new List((cursor) => fetch(cursor ?? wishes.cursor));
}
