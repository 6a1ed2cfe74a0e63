/**
 * What a page must know again when the browser comes back from another's: in this tab alone, taken once, and nothing of
 * it is secret from the page.
 */
export function keepWhileAway<T extends { state: string }>(key: string, begun: T): void {
  sessionStorage.setItem(key, JSON.stringify(begun));
}

/** What was begun, if this is its answer: an answer that nobody here asked for is an attack. */
export function takeBack<T extends { state: string }>(key: string, state: string | undefined): T | undefined {
  const kept = sessionStorage.getItem(key);
  sessionStorage.removeItem(key);
  if (kept === null) return undefined;
  const begun = JSON.parse(kept) as T;
  return begun.state === state ? begun : undefined;
}
