// Lists: awaited, the first page; iterated, every row.

/** A page of a list. */
export class Page<T> implements AsyncIterable<T> {
  /** The rows. */
  readonly data: T[];
  /** What the next page is asked for with; null at the end. */
  readonly nextCursor: string | null;
  readonly #fetch: (cursor: string) => Promise<Page<T>>;

  /** @internal */
  constructor(
    data: T[],
    nextCursor: string | null,
    fetch: (cursor: string) => Promise<Page<T>>,
  ) {
    this.data = data;
    this.nextCursor = nextCursor;
    this.#fetch = fetch;
  }

  /** Whether more pages follow. */
  hasNextPage(): boolean {
    return this.nextCursor !== null;
  }

  /** The next page; null at the end. */
  async nextPage(): Promise<Page<T> | null> {
    return this.nextCursor === null ? null : this.#fetch(this.nextCursor);
  }

  /** Every row from this page on. */
  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    for (let page: Page<T> | null = this; page !== null; page = await page.nextPage()) {
      yield* page.data;
    }
  }
}

/**
 * A list that was asked for: `await` gives its first page, `for await` every row.
 *
 * @example
 * for await (const user of client.auth.users.list()) console.log(user.id);
 * const { data, nextCursor } = await client.auth.users.list({ limit: 10 });
 */
export class List<T> implements PromiseLike<Page<T>>, AsyncIterable<T> {
  readonly #fetch: (cursor: string | undefined) => Promise<Page<T>>;
  #first: Promise<Page<T>> | undefined;

  /** @internal */
  constructor(fetch: (cursor: string | undefined) => Promise<Page<T>>) {
    this.#fetch = fetch;
  }

  /** Nothing is asked before somebody wants it, and the first page once. */
  #page(): Promise<Page<T>> {
    this.#first ??= this.#fetch(undefined);
    return this.#first;
  }

  /** The first page. */
  then<A = Page<T>, B = never>(
    fulfilled?: ((page: Page<T>) => A | PromiseLike<A>) | null,
    rejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#page().then(fulfilled, rejected);
  }

  /** As of a promise of the first page. */
  catch<B = never>(
    rejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<Page<T> | B> {
    return this.#page().catch(rejected);
  }

  /** As of a promise of the first page. */
  finally(settled?: (() => void) | null): Promise<Page<T>> {
    return this.#page().finally(settled);
  }

  /** Every row, fetched page by page. */
  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    yield* await this.#page();
  }
}
