import type { Bus } from '#lib/bus';
import { ownCall } from '#lib/call-context';
import { openVaultHeaders, vaultReference } from '#lib/contracts';
import { withoutSecrets } from '#lib/secret-scrub';
import type { FetchLike } from '@modelcontextprotocol/sdk/shared/transport.js';

/** A value that was rotated or taken away is sent no longer than this. */
const KEPT_MS = 5_000;

interface RemoteServer {
  url: string;
  headers?: Record<string, string> | undefined;
}

export const namesSecret = (text: string): boolean => vaultReference().test(text);

/**
 * A fetch that puts the account's secrets in the headers that name them (`${vault.github}`), on requests to the server
 * itself; nobody else is sent those headers. What the server answers never shows the values. Fails where a secret cannot
 * be had.
 */
export function vaultFetch(
  fetch: FetchLike,
  { url, headers = {} }: RemoteServer,
  bus: Bus,
  accountId: string,
): FetchLike {
  const named = Object.fromEntries(Object.entries(headers).filter(([, value]) => namesSecret(value)));
  const names = Object.keys(named);
  if (names.length === 0) return fetch;
  const { origin } = new URL(url);
  const open = openerOf(bus, accountId);
  return async (target, init) => {
    const sent = new Headers(init?.headers);
    for (const name of names) sent.delete(name);
    if (new URL(target).origin !== origin) return fetch(target, { ...init, headers: sent });
    const opened = await open(url, named);
    for (const [name, value] of Object.entries(opened)) sent.set(name, value);
    const response = await fetch(target, { ...init, headers: sent });
    return withoutSecrets(response, Object.values(opened));
  };
}

/**
 * A fetch for calls of models whose key names a secret of the account: wherever the client puts the key in a header, the
 * value takes its place, if the address is among the secret's hosts. Fails where it cannot be had.
 */
export function vaultKeyFetch(fetch: typeof globalThis.fetch, bus: Bus, accountId: string): typeof globalThis.fetch {
  const open = openerOf(bus, accountId);
  return async (target, init) => {
    const sent = new Headers(init?.headers);
    const named = Object.fromEntries([...sent].filter(([, value]) => namesSecret(value)));
    if (Object.keys(named).length === 0) return fetch(target, init);
    const url = target instanceof Request ? target.url : String(target);
    const opened = await open(url, named);
    for (const [name, value] of Object.entries(opened)) sent.set(name, value);
    // A redirect would take the key to a host that the secret is not for.
    const response = await fetch(target, { ...init, headers: sent, redirect: 'error' });
    return withoutSecrets(response, Object.values(opened));
  };
}

/** Headers with the values that they name, asked for again after a while. */
function openerOf(bus: Bus, accountId: string) {
  let known: { about: string; until: number; opened: Promise<Record<string, string>> } | undefined;
  return (url: string, headers: Record<string, string>): Promise<Record<string, string>> => {
    const about = JSON.stringify([url, headers]);
    if (known?.about === about && performance.now() < known.until) return known.opened;
    const context = { ...ownCall('req_vault_headers', openVaultHeaders.timeoutMs), accountId };
    const opened = bus.request(openVaultHeaders, { url, headers }, context).then((answer) => answer.headers);
    known = { about, until: performance.now() + KEPT_MS, opened };
    opened.catch(() => (known = undefined));
    return opened;
  };
}
