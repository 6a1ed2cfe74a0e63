/** Where a secret may go: as `EgressGrant` and the rows of the vault have it. */
interface Coverage {
  /** Exact or `*.` for one level, lower case and punycode, either with `:port`; without one, 443. */
  hosts: string[];
  /** Upper case; all where there are none. */
  methods?: string[] | undefined;
  pathPrefixes?: string[] | undefined;
}

/** Where a request goes. `host` as a URL gives it, without brackets; `path` with its query. */
export interface Destination {
  host: string;
  port: number;
}

/** Whether a secret's hosts name this one. */
export function coversHost({ hosts }: Pick<Coverage, 'hosts'>, { host, port }: Destination): boolean {
  const name = host.replace(/\.$/, '').toLowerCase();
  return hosts.some((entry) => {
    const [, wanted = '', wantedPort = '443'] = /^(\[.*\]|.*?)(?::(\d+))?$/.exec(entry) ?? [];
    if (Number(wantedPort) !== port) return false;
    if (!wanted.startsWith('*.')) return wanted.replace(/^\[(.*)\]$/, '$1') === name;
    const [, above] = /^[^.]+\.(.+)$/.exec(name) ?? [];
    return above === wanted.slice(2);
  });
}

/** Whether a secret may be used for this method and path, at a host that it covers. */
export function coversRequest({ methods, pathPrefixes }: Coverage, method: string, path: string): boolean {
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
