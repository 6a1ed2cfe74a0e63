export interface UntilOptions {
  timeoutMs?: number;
  everyMs?: number;
}

/** Waits for a fact: calls `look` until it gives something other than undefined, null or false. Throws after 60 s: a busy machine is slow, not wrong. */
export async function until<T>(
  what: string,
  look: () => T | false | Promise<T | false>,
  { timeoutMs = 60_000, everyMs = 25 }: UntilOptions = {},
): Promise<NonNullable<Exclude<T, false>>> {
  for (const deadline = Date.now() + timeoutMs; ;) {
    const found = await look();
    if (found !== undefined && found !== null && found !== false) return found as NonNullable<Exclude<T, false>>;
    if (Date.now() > deadline) throw new Error(`waited ${timeoutMs} ms in vain until ${what}`);
    await new Promise((done) => setTimeout(done, everyMs));
  }
}
