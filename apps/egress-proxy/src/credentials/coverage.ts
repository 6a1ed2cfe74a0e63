import type { EgressGrant } from '#lib/contracts';

/** Where a request goes. `host` as a URL gives it, without brackets; `path` with its query. */
export interface Destination {
  host: string;
  port: number;
}

/** Whether a grant's hosts name this one. */
export function coversHost({ hosts }: EgressGrant, { host, port }: Destination): boolean {
  const name = host.replace(/\.$/, '').toLowerCase();
  return hosts.some((entry) => {
    const [, wanted = '', wantedPort = '443'] = /^(\[.*\]|.*?)(?::(\d+))?$/.exec(entry) ?? [];
    if (Number(wantedPort) !== port) return false;
    if (!wanted.startsWith('*.')) return wanted.replace(/^\[(.*)\]$/, '$1') === name;
    const [, above] = /^[^.]+\.(.+)$/.exec(name) ?? [];
    return above === wanted.slice(2);
  });
}

/** Whether a grant may be used for this method and path, at a host that it covers. */
export function coversRequest({ methods, pathPrefixes }: EgressGrant, method: string, path: string): boolean {
  if (methods && !methods.includes(method)) return false;
  if (!pathPrefixes) return true;
  const [plain = ''] = path.split('?');
  return !isAmbiguous(plain) && pathPrefixes.some((prefix) => isBelow(plain, prefix));
}

/** By whole segments: `/repos/acme` covers `/repos/acme/x`, not `/repos/acme-other`. */
function isBelow(path: string, prefix: string): boolean {
  return path === prefix || path.startsWith(prefix.endsWith('/') ? prefix : `${prefix}/`);
}

/** Servers disagree about where such a path leads: it may be outside of the prefix that it begins with. */
function isAmbiguous(path: string): boolean {
  return /\/\.{1,2}(\/|$)|\/\/|\\|%2e|%2f|%5c|%25|;/i.test(path);
}
