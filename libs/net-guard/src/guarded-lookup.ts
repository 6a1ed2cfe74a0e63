import { isIPv6, type LookupFunction } from 'node:net';
import { assertAddress, type GuardPolicy, resolveChecked, unbracketed } from './policy.js';

/**
 * A `lookup` for `net.connect`, `tls.connect` and `http(s).request`: gives only checked addresses, and the socket dials
 * exactly those. Not enough alone: Node asks no lookup for a host that is an address already; check that first
 * (`assertDialable`).
 */
export function guardedLookup(policy: GuardPolicy): LookupFunction {
  return (hostname, options, callback) => {
    resolveChecked(hostname, policy).then(
      (addresses) => {
        const found = addresses.map((address) => ({ address, family: isIPv6(address) ? 6 : 4 }));
        const wanted =
          options.family === 4 || options.family === 6
            ? found.filter(({ family }) => family === options.family)
            : found;
        const [first] = wanted;
        if (!first)
          callback(Object.assign(new Error(`no usable address for ${hostname}`), { code: 'ENOTFOUND' }), '', 0);
        else if (options.all) callback(null, wanted);
        else callback(null, first.address, first.family);
      },
      (error: unknown) => callback(error instanceof Error ? error : new Error(String(error)), '', 0),
    );
  };
}

/** Checks a host that is an address in text form; names pass, their lookup is checked. Errors: ACCESS_DENIED. */
export function assertDialable(hostname: string, policy: GuardPolicy): void {
  const host = unbracketed(hostname);
  // What Node would take for an address it dials without a lookup.
  if (isIPv6(host) || /^[0-9.]+$/.test(host)) assertAddress(host, policy);
}
