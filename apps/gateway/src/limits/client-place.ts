import { isIPv6 } from 'node:net';

/**
 * What limits per address count by: an IPv4 address, or the /64 of an IPv6 one, which is what one customer of a network
 * has and may take any address of.
 */
export function placeOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined || !isIPv6(address)) return mapped ?? address;
  const [head = '', tail] = (address.split('%')[0] ?? '').split('::');
  const groups = head === '' ? [] : head.split(':');
  // An address that ends in IPv4 form has two groups there; they are never among the first four but where `::` is short.
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const afterCount = after.length + (after.at(-1)?.includes('.') ? 1 : 0);
  const whole =
    tail === undefined ? groups : [...groups, ...Array<string>(8 - groups.length - afterCount).fill('0'), ...after];
  return `${whole
    .slice(0, 4)
    .map((group) => group.toLowerCase().replace(/^0+(?=.)/, ''))
    .join(':')}::/64`;
}
