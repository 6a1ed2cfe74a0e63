import { CreateAgent, type PlannedChange } from '#lib/contracts';
import { isDeepStrictEqual } from 'node:util';
import type { WholeUpdate } from '../agents/agent-records.js';
import type { AgentSecrets } from '../agents/agent-secrets.js';
import type { Configured } from '../versions/configured.js';
import { diff } from '../versions/diff.js';
import { secretValues, shownSettings } from '../versions/settings.js';

/** Field by field, secrets by whether they are the same. */
export function changesBetween(before: Configured | undefined, after: Configured): PlannedChange[] {
  const values = before ? secretValues(secretsOf(before)) : new Map<string, string>();
  const from = {
    settings: before ? shownSettings(before) : {},
    secrets: Object.fromEntries([...values.keys()].map((field) => [field, 1])),
  };
  const present = secretValues(secretsOf(after));
  const to = {
    settings: shownSettings(after),
    secrets: Object.fromEntries([...present].map(([field, value]) => [field, values.get(field) === value ? 1 : 2])),
  };
  return diff(from, to)
    .filter(({ from: was, to: is, secret }) => secret !== null || was !== null || is !== null)
    .map(({ secret, ...change }) => ({ ...change, isSecret: secret !== null }));
}

const secretsOf = ({ providerKeys, bots, configuration: { customEnv, mcpServers } }: Configured): AgentSecrets => ({
  providerKeys,
  ...bots,
  customEnv,
  mcpServers,
});

/** What is sent to make a new agent. */
export function creationOf({ bots, ...after }: Configured): CreateAgent {
  return { ...CreateAgent.parse({ name: after.name }), ...after, ...bots };
}

/** What makes the one the other: the fields that differ, those of the configuration whole. */
export function updateOf(before: Configured, after: Configured): WholeUpdate {
  const { configuration: _, providerKeys: __, bots: ___, ...settings } = differing(before, after);
  const cleared = (changed: object) =>
    Object.fromEntries(Object.entries(changed).map(([name, value]) => [name, (value as unknown) ?? null]));
  const configuration = cleared(differing(before.configuration, after.configuration));
  const providerKeys = cleared(differing(before.providerKeys, after.providerKeys));
  return {
    ...settings,
    ...(Object.keys(configuration).length > 0 ? { configuration } : {}),
    ...(Object.keys(providerKeys).length > 0 ? { providerKeys } : {}),
    ...cleared(differing(before.bots, after.bots)),
    replacesFields: true,
  };
}

/** The fields of `after` that are not as in `before`; undefined of those that it does not have. */
function differing<T extends object>(before: T, after: T): Partial<T> {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])] as (keyof T)[];
  return Object.fromEntries(
    names.filter((name) => !isDeepStrictEqual(before[name], after[name])).map((name) => [name, after[name]]),
  ) as Partial<T>;
}
