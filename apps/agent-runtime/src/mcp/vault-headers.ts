import type { Bus } from '#lib/bus';
import { ownCall } from '#lib/call-context';
import { openVaultHeaders, vaultReference } from '#lib/contracts';
import type { FetchLike } from '@modelcontextprotocol/sdk/shared/transport.js';
import { withoutValues } from './without-values.js';

/** A value that was rotated or taken away is sent no longer than this. */
const KEPT_MS = 5_000;

interface RemoteServer {
  url: string;
  headers?: Record<string, string> | undefined;
}

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
  const named = Object.fromEntries(Object.entries(headers).filter(([, value]) => vaultReference().test(value)));
  const names = Object.keys(named);
  if (names.length === 0) return fetch;
  const { origin } = new URL(url);
  let known: { until: number; opened: Promise<Record<string, string>> } | undefined;
  const open = (): Promise<Record<string, string>> => {
    if (known && Date.now() < known.until) return known.opened;
    const context = { ...ownCall('req_mcp_vault', openVaultHeaders.timeoutMs), accountId };
    const opened = bus.request(openVaultHeaders, { url, headers: named }, context).then((answer) => answer.headers);
    known = { until: Date.now() + KEPT_MS, opened };
    opened.catch(() => (known = undefined));
    return opened;
  };
  return async (target, init) => {
    const sent = new Headers(init?.headers);
    for (const name of names) sent.delete(name);
    if (new URL(target).origin !== origin) return fetch(target, { ...init, headers: sent });
    const opened = await open();
    for (const [name, value] of Object.entries(opened)) sent.set(name, value);
    const response = await fetch(target, { ...init, headers: sent });
    return withoutValues(response, Object.values(opened));
  };
}
