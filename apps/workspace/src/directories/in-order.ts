/**
 * Names in order, sorted a batch at a time: a page of a directory needs its first names only, and sorting a hundred
 * thousand for each page would take longer than reading them. `batch`: how many are likely to be needed.
 */
export function* inOrder(names: string[], batch: number): Generator<string> {
  for (let rest = names; rest.length > 0;) {
    const first = smallest(rest, Math.max(batch, 1));
    yield* first;
    const last = first.at(-1) ?? '';
    rest = rest.filter((name) => name > last);
  }
}

/** The `count` smallest, sorted. Names are different from one another. */
function smallest(names: string[], count: number): string[] {
  let kept: string[] = [];
  let limit: string | undefined;
  for (const name of names) {
    if (limit !== undefined && name > limit) continue;
    kept.push(name);
    if (kept.length < count * 2) continue;
    kept = kept.sort(byCodeUnit).slice(0, count);
    limit = kept.at(-1);
  }
  return kept.sort(byCodeUnit).slice(0, count);
}

function byCodeUnit(a: string, b: string): number {
  if (a < b) return -1;
  return a > b ? 1 : 0;
}
