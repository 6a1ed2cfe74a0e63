import { canonicalJson } from '#lib/canonical-json';
import { isWorkspacePath, spellingsOf } from './workspace-paths.js';

/** A name with more dots reaches nothing that a tool takes. */
export const MAX_STEPS = 32;

/** One value that a name of a rule reaches: the texts that stand for it, or null when it cannot be read. */
export type ArgumentValue = string[] | null;

/**
 * All that a rule's name reaches in a call's arguments. `a.b` is the field `b` of the object `a`, and the field `a.b`
 * where there is one: which of them a tool reads is not known here, so both count. Own fields only.
 */
export function valuesAt(tool: string, args: unknown, name: string): ArgumentValue[] {
  const isPath = isWorkspacePath(tool, name);
  return reached(args, name.split('.').slice(0, MAX_STEPS + 1)).map((value) => textsOf(value, isPath));
}

function reached(value: unknown, steps: string[]): unknown[] {
  if (steps.length > MAX_STEPS || typeof value !== 'object' || value === null) return [];
  return steps.flatMap((_, at) => {
    const field = steps.slice(0, at + 1).join('.');
    if (!Object.hasOwn(value, field) || (Array.isArray(value) && field === 'length')) return [];
    const inside = (value as Record<string, unknown>)[field];
    if (inside === undefined) return [];
    return at + 1 === steps.length ? [inside] : reached(inside, steps.slice(at + 1));
  });
}

function textsOf(value: unknown, isPath: boolean): ArgumentValue {
  if (typeof value === 'string') return isPath ? spellingsOf(value) : [value];
  try {
    return [canonicalJson(value)];
  } catch {
    return null;
  }
}
