/** One answer of a list, and where the next one begins. */
export interface Page<T, C> {
  items: T[];
  /** Undefined after the last. */
  next: C | undefined;
}

/**
 * A list of any length. Nothing is asked before it is read: `for await (const item of list)` goes on page by page,
 * `pages()` gives them whole, `first()` only the first one, `page(cursor)` one after another.
 */
export class Listing<T> implements AsyncIterable<T> {
  /** @internal */
  static of<T, C>(load: (cursor: C | undefined) => Promise<Page<T, C>>): Listing<T> {
    return new Listing(load as (cursor: unknown) => Promise<Page<T, unknown>>);
  }

  private constructor(private readonly load: (cursor: unknown) => Promise<Page<T, unknown>>) {}

  async *pages(): AsyncGenerator<T[], void, undefined> {
    let cursor: unknown;
    do {
      const { items, next } = await this.load(cursor);
      cursor = next;
      yield items;
    } while (cursor !== undefined);
  }

  async first(): Promise<T[]> {
    return (await this.load(undefined)).items;
  }

  /** One page, and where the next one begins: for a screen that shows more when somebody asks for it. */
  page(cursor?: unknown): Promise<Page<T, unknown>> {
    return this.load(cursor);
  }

  /** All of it, or the first `atMost`. */
  async toArray(atMost = Infinity): Promise<T[]> {
    const all: T[] = [];
    for await (const item of this) {
      if (all.length >= atMost) break;
      all.push(item);
    }
    return all;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    for await (const items of this.pages()) yield* items;
  }
}

interface Numbered {
  pagination: { page: number; total_pages: number };
}

/** A list whose pages have numbers. */
export function numbered<R extends Numbered, T>(
  load: (page: number) => Promise<R>,
  itemsOf: (answer: R) => T[],
): Listing<T> {
  return Listing.of<T, number>(async (page = 1) => {
    const answer = await load(page);
    return { items: itemsOf(answer), next: page < answer.pagination.total_pages ? page + 1 : undefined };
  });
}
