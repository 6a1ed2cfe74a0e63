import type { FieldChange } from '#lib/contracts';
import { isDeepStrictEqual } from 'node:util';
import type { SecretVersions, Settings } from './settings.js';

type Json = FieldChange['from'];
export interface Compared {
  settings: Settings;
  secrets: SecretVersions;
}

/** Field by field, in alphabetical order. Objects are compared by what is in them, lists as a whole. */
export function diff(from: Compared, to: Compared): FieldChange[] {
  const before = new Map(leaves(from.settings));
  const after = new Map(leaves(to.settings));
  const names = new Set([...before.keys(), ...after.keys(), ...Object.keys(from.secrets), ...Object.keys(to.secrets)]);
  return [...names].sort().flatMap((field) => {
    const secret = secretChange(field, from.secrets, to.secrets);
    if (secret !== undefined) return secret ? [secret] : [];
    const [was, is] = [before.get(field), after.get(field)];
    if (isDeepStrictEqual(was, is)) return [];
    // It is the same object with something in it, which has an entry of its own.
    if (isFilled(field, was, after) || isFilled(field, is, before)) return [];
    return [{ field, change: kindOf(was, is), from: was ?? null, to: is ?? null, secret: null }];
  });
}

const isFilled = (field: string, empty: Json | undefined, there: Map<string, Json>) =>
  isObject(empty) && [...there.keys()].some((name) => name.startsWith(`${field}.`));

/** Undefined of what is no secret; null of one that is the same in both. */
function secretChange(field: string, before: SecretVersions, after: SecretVersions): FieldChange | null | undefined {
  const [was, is] = [before[field], after[field]];
  if (was === undefined && is === undefined) return undefined;
  if (was === is) return null;
  const secret = { from: was ?? null, to: is ?? null };
  return { field, change: kindOf(was, is), from: null, to: null, secret };
}

function kindOf(was: unknown, is: unknown): FieldChange['change'] {
  if (was === undefined) return 'added';
  return is === undefined ? 'removed' : 'changed';
}

/** What is in an object, by its path; an empty one counts as a value. */
function* leaves(object: Settings, path = ''): Generator<[string, Json]> {
  for (const [name, value] of Object.entries(object)) {
    if (isObject(value) && Object.keys(value).length > 0) yield* leaves(value, `${path}${name}.`);
    else yield [`${path}${name}`, value as Json];
  }
}

function isObject(value: unknown): value is Settings {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
