import { lookup } from 'node:dns/promises';
import { RoostError } from '#lib/contracts';
import { classifyAddress, isInRanges } from './classify-address.js';

export interface GuardPolicy {
  /** Without the colon. */
  schemes: readonly ('http' | 'https')[];
  /** Ranges that are allowed though they are not public, e.g. `127.0.0.0/8` on a laptop. Metadata addresses stay refused. */
  allowedRanges?: readonly string[];
  /** `web`: 80, 443 and 1024 to 65535. Default `web`. */
  ports?: 'web' | 'any';
  /** All addresses of a name. Default: the system's resolver. */
  resolve?: (hostname: string) => Promise<string[]>;
  /** Certificates to trust besides the system's, PEM. */
  ca?: string | undefined;
}

/** Nothing but public addresses over HTTPS: the policy for servers. */
export const publicHttps: GuardPolicy = { schemes: ['https'] };

/** For `npm start` on one's own machine: plain HTTP and this machine itself are allowed too. */
export const localDevelopment: GuardPolicy = { schemes: ['http', 'https'], allowedRanges: ['127.0.0.0/8', '::1/128'] };

/** The policy that a service's `ROOST_…_NETWORK` names. */
export const policyOf = (network: 'public' | 'local'): GuardPolicy =>
  network === 'local' ? localDevelopment : publicHttps;

const resolveTimeoutMs = 5_000;

/**
 * Resolves a host once and checks every answer: one bad answer refuses all, for a client may be steered to any of them.
 * What is returned is to be dialled as it is, without resolving again.
 * Errors: ACCESS_DENIED with the reason `blocked_address` (see `isBlocked`), SERVICE_UNAVAILABLE when the name has no address.
 */
export async function resolveChecked(hostname: string, policy: GuardPolicy): Promise<string[]> {
  const host = unbracketed(hostname);
  const addresses = classifyAddress(host) === 'invalid' ? await resolveName(host, policy) : [host];
  for (const address of addresses) assertAddress(address, policy, host);
  return addresses;
}

/** Errors: ACCESS_DENIED when the policy does not allow the address. */
export function assertAddress(address: string, policy: GuardPolicy, host = address): void {
  const kind = classifyAddress(address);
  if (kind === 'public') return;
  if (kind !== 'metadata' && kind !== 'invalid' && isInRanges(address, policy.allowedRanges ?? [])) return;
  throw new RoostError('ACCESS_DENIED', `${host} leads to ${article(kind)} address, which may not be called`, [
    { reason: 'blocked_address', kind },
  ]);
}

/** True when an error means that the guard refused the address, as opposed to an address that did not answer. */
export function isBlocked(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof RoostError && cause.details.some(({ reason }) => reason === 'blocked_address')) return true;
  }
  return false;
}

export function unbracketed(hostname: string): string {
  return hostname.startsWith('[') && hostname.endsWith(']') ? hostname.slice(1, -1) : hostname;
}

async function resolveName(host: string, policy: GuardPolicy): Promise<string[]> {
  const resolve = policy.resolve ?? systemResolver;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('no answer in time')), resolveTimeoutMs);
  });
  try {
    const addresses = await Promise.race([resolve(host), late]);
    if (addresses.length === 0) throw new Error('no address');
    return addresses;
  } catch (error) {
    if (error instanceof RoostError) throw error;
    throw new RoostError(
      'SERVICE_UNAVAILABLE',
      `the name ${host} could not be resolved`,
      [{ reason: 'unresolved' }],
      10,
    );
  } finally {
    clearTimeout(timer);
  }
}

async function systemResolver(host: string): Promise<string[]> {
  return (await lookup(host, { all: true })).map(({ address }) => address);
}

function article(kind: string): string {
  return `${/^[aeiou0-9]/.test(kind) ? 'an' : 'a'} ${kind}`;
}
