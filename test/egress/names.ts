/**
 * Loaded into an egress process before it: names of `.roost-egress.net` lead to this machine, as a name server of a
 * closed network would have it. `rebinding.…` leads there and then to another address, `mixed.…` to both.
 */
import type { LookupAddress, LookupOptions } from 'node:dns';
import dns from 'node:dns/promises';
import { syncBuiltinESMExports } from 'node:module';

const { lookup } = dns;
const asked = new Map<string, number>();
const closedLookup = (host: string, options: LookupOptions): Promise<LookupAddress | LookupAddress[]> => {
  const [name = ''] = host.split('.roost-egress.net');
  if (name === host) return lookup(host, options);
  const count = (asked.get(name) ?? 0) + 1;
  asked.set(name, count);
  const own = [{ address: '127.0.0.1', family: 4 }];
  const other = [{ address: '127.0.0.2', family: 4 }];
  if (name === 'rebinding') return Promise.resolve(count % 2 ? own : other);
  return Promise.resolve(name === 'mixed' ? [...own, ...other] : own);
};
Object.assign(dns, { lookup: closedLookup });
syncBuiltinESMExports();
