import { RoostError } from '#lib/contracts';
import type { WholeGrant } from './grants.repository.js';

type Placed = Pick<WholeGrant, 'secret' | 'kind' | 'settings' | 'hosts' | 'methods' | 'path_prefixes' | 'placeholder'>;

/**
 * Refuses grants of one agent without a placeholder that would be put in the same place of the same request: nothing
 * would say which of them is meant. Errors: CONFLICT naming both secrets.
 */
export function requireDistinct(grants: readonly Placed[]): void {
  const byHost = grants.filter(({ placeholder }) => placeholder === null);
  for (const [index, one] of byHost.entries()) {
    for (const other of byHost.slice(index + 1)) {
      const host = sharedHost(one, other);
      if (host === undefined) continue;
      throw new RoostError(
        'CONFLICT',
        `the secrets "${one.secret}" and "${other.secret}" would both go to ${placeOf(one)} of ${host}: give one of them an ` +
          'environment variable, or narrow its hosts, methods or paths',
        [{ reason: 'overlap', secrets: [one.secret, other.secret], host }],
      );
    }
  }
}

/** A host at which one request could carry both. */
function sharedHost(one: Placed, other: Placed): string | undefined {
  if (placeOf(one) !== placeOf(other)) return undefined;
  if (!meet(one.methods, other.methods, (a, b) => a === b)) return undefined;
  if (!meet(one.path_prefixes, other.path_prefixes, (a, b) => isBelow(a, b) || isBelow(b, a))) return undefined;
  return one.hosts.find((a) => other.hosts.some((b) => a === b || isUnder(a, b) || isUnder(b, a)));
}

/** Where in a request it goes. */
function placeOf({ kind, settings }: Pick<Placed, 'kind' | 'settings'>): string {
  if (kind === 'query') return `the parameter ${nameOf(settings)}`;
  return `the header ${kind === 'header' ? nameOf(settings).toLowerCase() : 'authorization'}`;
}

/** Null stands for all. */
const meet = (one: string[] | null, other: string[] | null, fit: (a: string, b: string) => boolean) =>
  !one || !other || one.some((a) => other.some((b) => fit(a, b)));

/** Whether a path is the prefix or below it: whole segments, so that `/acme2` is not below `/acme`. */
const isBelow = (path: string, prefix: string) =>
  path === prefix || path.startsWith(prefix.endsWith('/') ? prefix : `${prefix}/`);

/** Whether `*.example.com` stands for a host: one level. */
function isUnder(host: string, pattern: string): boolean {
  if (!pattern.startsWith('*.')) return false;
  const dot = host.indexOf('.');
  return dot > 0 && host.slice(dot) === pattern.slice(1);
}

const nameOf = ({ name }: Placed['settings']): string => (typeof name === 'string' ? name : '');
