import type { TLSSocket } from 'node:tls';
import type { AccessRecord } from '../access.js';
import type { AgentGrants } from '../credentials/agent-grants.js';
import { type Authorized, authorize, Refusal } from '../credentials/authorize.js';
import type { Destination } from '#lib/net-guard';
import { type RequestHead, valuesOf } from '../credentials/request-head.js';
import { scrubText } from '#lib/secret-scrub';

/** One connection of a sandbox to a host with a grant, and ours to that host: each carries what comes of the other. */
export interface Interception {
  destination: Destination;
  /** As `Host` and `:authority` must name it. */
  authority: string;
  grants: AgentGrants;
  /** Why no further request may pass now: the agent's network setting, or its rate. */
  whyNot(): string | undefined;
  record(method: string): AccessRecord;
  /** The connection to the host that was made first. */
  upstream: TLSSocket;
  /** Another one, in the place of one that ended. */
  reconnect(): Promise<TLSSocket>;
}

/** Bodies that are announced as this small are read whole before anything of their request is sent. */
export const smallBodyBytes = 64 * 1024;

/** `isGone`: whether the client waits no more. Errors: `Refusal`. */
export function admit(interception: Interception, head: RequestHead, isGone: () => boolean): Promise<Authorized> {
  const why = interception.whyNot();
  if (why !== undefined) throw new Refusal(why);
  if (!/^[A-Z][A-Z-]{0,31}$/.test(head.method) || head.method === 'CONNECT' || head.method === 'TRACE')
    throw new Refusal(`The method ${head.method} cannot be used for a host with a secret.`);
  if (!head.path.startsWith('/') && head.path !== '*')
    throw new Refusal('The request names another form of URL than a path.');
  const hosts = valuesOf(head, 'host');
  if (hosts.length !== 1 || !isSame(hosts[0], interception))
    throw new Refusal(
      `The request is for another host than ${interception.authority}, which the connection was made to.`,
    );
  return authorize(head, { ...interception, isGone });
}

/** With or without the port that the scheme implies, in any case. */
export function isSame(text: string | undefined, { destination: { host, port }, authority }: Interception): boolean {
  const given = text?.toLowerCase();
  return given === authority.toLowerCase() || (port === 443 && given === `${host}:443`);
}

export function scrubPairs(pairs: [string, string][], needles: Buffer[]): [string, string][] {
  return pairs.map(([name, value]) => [scrubText(name, needles), scrubText(value, needles)]);
}

/** Names and values that follow each other, as pairs with the names in lower case. */
export function pairsOf(raw: string[]): [string, string][] {
  return Array.from({ length: raw.length / 2 }, (_, at) => [(raw[at * 2] ?? '').toLowerCase(), raw[at * 2 + 1] ?? '']);
}

/** As Node takes headers: the values of a name together. */
export function groupsOf(pairs: [string, string][]): Record<string, string | string[]> {
  const groups = new Map<string, string[]>();
  for (const [name, value] of pairs) groups.set(name, [...(groups.get(name) ?? []), value]);
  return Object.fromEntries(
    [...groups].map(([name, [first = '', ...more]]) => [name, more.length ? [first, ...more] : first]),
  );
}

/** What of an error an agent and a log may read: never its own text, which may quote a header. */
export function plainReason(error: unknown, { host }: Destination): string {
  if (error instanceof Refusal) return error.message;
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? ` (${error.code})` : '';
  return `${host} could not be reached, or ended the connection${code}.`;
}
