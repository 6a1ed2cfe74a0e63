import ipaddr from 'ipaddr.js';

/** The part of an IPv6 address that its network gives out; whoever has one has all addresses in it. */
const IPV6_PREFIX_GROUPS = 4;

/** What an address counts as: itself, IPv4 in IPv6 as IPv4, IPv6 by its /64. */
export function addressKey(address: string): string {
  if (!ipaddr.isValid(address)) return address.slice(0, 64);
  const parsed = ipaddr.process(address);
  if (parsed.kind() === 'ipv4') return parsed.toString();
  return `${(parsed as ipaddr.IPv6).parts
    .slice(0, IPV6_PREFIX_GROUPS)
    .map((part) => part.toString(16))
    .join(':')}::/64`;
}
