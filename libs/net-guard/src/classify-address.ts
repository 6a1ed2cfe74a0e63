import ipaddr from 'ipaddr.js';

/** `public`, or why an address is not: the name of its range, e.g. `loopback`, `private`, `metadata`, `nat64`. */
export type AddressKind = string;

/** Addresses of cloud machines' metadata and platform services that lie in ranges which are otherwise public. */
const metadata = new Set([
  '168.63.129.16',
  '100.100.100.200',
  '169.254.169.254',
  '169.254.170.2',
  '169.254.170.23',
  '192.0.0.192',
  'fd00:ec2::254',
  'fd00:ec2::23',
  'fd20:ce::254',
]);

const globalUnicast = ipaddr.IPv6.parseCIDR('2000::/3');
const nat64 = ipaddr.IPv6.parseCIDR('64:ff9b::/96');
const siteLocalNat64 = ipaddr.IPv6.parseCIDR('64:ff9b:1::/48');
const compatible = ipaddr.IPv6.parseCIDR('::/96');
/** Special blocks inside global unicast that the library counts as ordinary (IANA special-purpose registry). */
const special: [string, [ipaddr.IPv6, number]][] = [
  ['documentation', ipaddr.IPv6.parseCIDR('3fff::/20')],
  ['reserved', ipaddr.IPv6.parseCIDR('2001::/23')],
  ['6bone', ipaddr.IPv6.parseCIDR('3ffe::/16')],
];

/**
 * What kind of address a text form means. Only what is known to be public is `public`: everything else has the name of
 * its range, and a text that is no address at all is `invalid`. IPv6 forms that carry an IPv4 address (mapped, NAT64,
 * ISATAP) are judged by the address they carry; tunnels that anybody can aim (6to4, Teredo) are never public.
 * Sources: IANA special-purpose address registries (RFC 6890 and updates), RFC 6052, RFC 5214.
 */
export function classifyAddress(text: string): AddressKind {
  // A zone picks an interface of this machine; no public address has one.
  if (text.includes('%')) return 'zone';
  // The library also reads octal, hexadecimal and short forms; a resolver or socket never gives those.
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) return kindOf4(ipaddr.IPv4.parse(text));
  const address = parse6(text);
  return address ? kindOf6(address) : 'invalid';
}

/** The library reads `::127.0.0.1` as if it were `::ffff:127.0.0.1`; a URL's host gives the hexadecimal form of what is meant. */
function parse6(text: string): ipaddr.IPv6 | undefined {
  if (!/^[0-9a-f:.]+$/i.test(text)) return undefined;
  const url = `http://[${text}]/`;
  return URL.canParse(url) ? ipaddr.IPv6.parse(new URL(url).hostname.slice(1, -1)) : undefined;
}

function kindOf4(address: ipaddr.IPv4): AddressKind {
  if (metadata.has(address.toString())) return 'metadata';
  const range = address.range();
  // Anycast DNS sinks and relays are reached over the open Internet, but nobody runs a service there.
  return range === 'unicast' ? 'public' : range;
}

function kindOf6(address: ipaddr.IPv6): AddressKind {
  if (metadata.has(address.toString())) return 'metadata';
  if (address.isIPv4MappedAddress()) return kindOf4(address.toIPv4Address());
  if (address.match(siteLocalNat64)) return 'nat64-local';
  const bytes = address.toByteArray();
  if (address.match(nat64)) return kindOf4(lastFour(bytes));
  if (address.match(compatible) && address.range() === 'unicast') return 'ipv4-compatible';
  const range = address.range();
  if (range !== 'unicast') return range;
  if (!address.match(globalUnicast)) return 'reserved';
  const block = special.find(([, cidr]) => address.match(cidr));
  if (block) return block[0];
  return isIsatap(bytes) ? kindOf4(lastFour(bytes)) : 'public';
}

function isIsatap(bytes: number[]): boolean {
  return (bytes[8] === 0 || bytes[8] === 2) && bytes[9] === 0 && bytes[10] === 0x5e && bytes[11] === 0xfe;
}

function lastFour(bytes: number[]): ipaddr.IPv4 {
  return new ipaddr.IPv4(bytes.slice(12));
}

/** True when the address is in one of the ranges (`127.0.0.0/8`, `fd00::/8`); a mapped IPv4 address counts as IPv4. */
export function isInRanges(text: string, ranges: readonly string[]): boolean {
  const parsed = ipaddr.IPv4.isValidFourPartDecimal(text) ? ipaddr.IPv4.parse(text) : parse6(text);
  if (!parsed) return false;
  const address = ipaddr.process(parsed.toString());
  return ranges.some((range) => {
    const [network, bits] = rangeOf(range);
    return network.kind() === address.kind() && address.match(network, bits);
  });
}

type Range = [ipaddr.IPv4 | ipaddr.IPv6, number];

/** Ranges come from policies, a handful of texts that are looked at for every request. */
const parsedRanges = new Map<string, Range>();

function rangeOf(text: string): Range {
  const range = parsedRanges.get(text) ?? ipaddr.parseCIDR(text);
  parsedRanges.set(text, range);
  return range;
}
