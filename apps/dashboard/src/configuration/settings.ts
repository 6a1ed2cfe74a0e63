import type { AgentDetails } from '@roost-ai/sdk';

/** Fields by the API's own names. */
export type Settings = Record<string, unknown>;

/** What of an agent is edited here, in the order in which it is shown as text. */
const EDITED = [
  ...(['name', 'description', 'system_prompt', 'system_prompt_type', 'session_mode'] as const),
  ...(['pvc_size', 'warmth_window_ms', 'output_token_balance', 'configuration'] as const),
] satisfies (keyof AgentDetails)[];
/** Objects of the configuration that a change merges field by field; all others are replaced whole. */
const MERGED = new Set(['memory_config', 'compaction', 'hook_messages', 'webhooks', 'resources']);

export const settingsOf = (agent: AgentDetails): Settings =>
  Object.fromEntries(EDITED.map((field) => [field, agent[field]]));

/**
 * The change that makes one of the other, by the rules of the API: what is the same is left out, null takes a field away.
 * Pure. Whatever somebody else changes meanwhile stays as they made it.
 */
export function changeOf(from: Settings, to: Settings): Settings {
  const { configuration: before, ...fields } = from;
  const { configuration: after = {}, ...others } = to;
  // What is no object is refused by the API: here it would take everything away.
  if (!isObject(after)) return { ...differing(fields, others), configuration: after };
  const configuration = differing(objectOf(before), after, (field, was, is) =>
    MERGED.has(field) && isObject(was) && isObject(is) ? differing(was, is) : is,
  );
  return { ...differing(fields, others), ...(isEmpty(configuration) ? {} : { configuration }) };
}

/** The settings after a change: those of somebody else with one's own change on top, say. */
export function withChange(settings: Settings, { configuration, ...fields }: Settings): Settings {
  const before = objectOf(settings['configuration']);
  const after = merged(before, objectOf(configuration), (field, was, is) =>
    MERGED.has(field) && isObject(was) && isObject(is) ? merged(was, is) : is,
  );
  return { ...settings, ...fields, configuration: after };
}

/** Names of what a change touches, as a comparison of versions has them: `configuration.model`. */
export function fieldsOf({ configuration, ...fields }: Settings): string[] {
  const inside = Object.entries(objectOf(configuration)).flatMap(([name, value]) =>
    MERGED.has(name) && isObject(value) ? Object.keys(value).map((each) => `${name}.${each}`) : [name],
  );
  return [...Object.keys(fields), ...inside.map((name) => `configuration.${name}`)];
}

type Combine = (field: string, was: unknown, is: unknown) => unknown;

function differing(from: Settings, to: Settings, combine: Combine = (_, __, is) => is): Settings {
  const names = new Set([...Object.keys(from), ...Object.keys(to)]);
  const changed = [...names].filter((name) => !isSame(from[name], to[name]));
  return Object.fromEntries(
    changed.map((name) => [name, to[name] === undefined ? null : combine(name, from[name], to[name])]),
  );
}

function merged(before: Settings, change: Settings, combine: Combine = (_, __, is) => is): Settings {
  const after = { ...before };
  for (const [name, value] of Object.entries(change)) {
    if (value === null) delete after[name];
    else after[name] = combine(name, before[name], value);
  }
  return after;
}

const isObject = (value: unknown): value is Settings =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const objectOf = (value: unknown): Settings => (isObject(value) ? value : {});
export const isEmpty = (value: object): boolean => Object.keys(value).length === 0;

/** By what they hold, whatever the order of their fields. */
function isSame(a: unknown, b: unknown): boolean {
  if (isObject(a) && isObject(b)) {
    const names = new Set([...Object.keys(a), ...Object.keys(b)]);
    return [...names].every((name) => isSame(a[name], b[name]));
  }
  return JSON.stringify(a) === JSON.stringify(b);
}
