import type { CallOptions } from "../call.js";
import { List, Page } from "../pagination.js";
import type { Transport } from "../transport.js";

/** A page of rows, as the service answers. */
export interface Rows<T> {
  data: T[];
  nextCursor: string | null;
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
    const { data, nextCursor }: Rows<T> = await transport.send(call, options);
    return new Page(data, nextCursor, fetch);
  };
  return new List((cursor) => fetch(cursor ?? wishes.cursor));
}
