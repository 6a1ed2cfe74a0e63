import { type ErrorDetail, type PlannedChange, type PlannedPart, RoostError, snakeCase } from '#lib/contracts';
import { isDeepStrictEqual } from 'node:util';

/** What there is of a kind, by a name that need not be its own. */
export interface Present<F extends object> {
  id: string;
  name: string;
  fields: F;
}

/** What makes one thing as it is to be. `fields` are all of them as they are to be; of one that goes, as they are. */
export interface Planned<F extends object> {
  name: string;
  id: string | null;
  action: PlannedPart['action'];
  fields: F;
  /** Names of the fields that differ. */
  differing: string[];
  changes: PlannedChange[];
}

export interface Kind<F extends object> {
  /** In the singular, for messages. */
  what: string;
  /** Where its things are in the document. */
  path: string;
  /** What a new one gets where the document does not say; the other fields it has to name. */
  defaults: Partial<F>;
  required: readonly (keyof F & string)[];
}

type Given<F> = { [K in keyof F]?: F[K] | undefined };
type Json = PlannedChange['from'];

/**
 * Compares what is to be with what there is, by name. What the document does not name stays as it is; with `prune`
 * fields get their defaults and whole things go.
 * Errors: CONFLICT where several have a name, VALIDATION_ERROR where a new one lacks a field.
 */
export function planByName<F extends object>(
  kind: Kind<F>,
  present: Present<F>[],
  wanted: Record<string, Given<F>>,
  prune: boolean,
): Planned<F>[] {
  const byName = groupedBy(present, ({ name }) => name);
  const planned = Object.entries(wanted).map(([name, given]): Planned<F> => {
    const found = onlyOne(kind, name, byName.get(name) ?? []);
    const fields = { ...found?.fields, ...(found && !prune ? {} : kind.defaults), ...definedIn(given) } as F;
    const changes = changesBetween(found?.fields ?? {}, fields);
    const action = !found ? 'create' : changes.differing.length > 0 ? 'update' : 'none';
    return { name, id: found?.id ?? null, action, fields, ...changes };
  });
  requireFields(kind, planned);
  if (!prune) return planned;
  const surplus = present.filter(({ name }) => !Object.hasOwn(wanted, name));
  return [
    ...planned,
    ...surplus.map((it): Planned<F> => ({ ...it, action: 'delete', ...changesBetween(it.fields, {}) })),
  ];
}

/** By the same key, in their order. */
export function groupedBy<T, K>(items: T[], keyOf: (item: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return groups;
}

/** Errors: CONFLICT naming the ids. */
export function onlyOne<T extends { id: string }>(
  { what, remedy = 'rename or delete all but one' }: { what: string; remedy?: string },
  name: string,
  found: T[],
): T | undefined {
  if (found.length < 2) return found[0];
  const ids = found.map(({ id }) => id);
  throw new RoostError('CONFLICT', `several ${what}s are called "${name}" (${ids.join(', ')}): ${remedy}`, [
    { reason: 'ambiguous_name', name, ids },
  ]);
}

function requireFields<F extends object>({ what, path, required }: Kind<F>, planned: Planned<F>[]): void {
  const missing = planned.flatMap(({ name, fields }) =>
    required
      .filter((field) => fields[field] === undefined)
      .map((field): ErrorDetail => ({ field: `${path}.${name}.${snakeCase(field)}`, reason: 'required' })),
  );
  const [first] = missing;
  if (first) throw new RoostError('VALIDATION_ERROR', `${first.field}: is required of a new ${what}`, missing);
}

function changesBetween<F extends object>(before: Partial<F>, after: Partial<F>) {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort() as (keyof F & string)[];
  const differing = names.filter((name) => !isDeepStrictEqual(before[name] ?? null, after[name] ?? null));
  const changes = differing.map((name): PlannedChange => {
    const [from, to] = [(before[name] ?? null) as Json, (after[name] ?? null) as Json];
    const change = from === null ? 'added' : to === null ? 'removed' : 'changed';
    return { field: snakeCase(name), change, from, to, isSecret: false };
  });
  return { differing, changes };
}

const definedIn = (given: object) =>
  Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
