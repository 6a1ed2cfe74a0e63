import { z } from 'zod';

/** 1 USD is so many nano-USD: the unit in which money is counted, so that sums are exact. */
const NANO = 1_000_000_000n;
const DIGITS = 9;

/** `1.5` → 1500000000n. The text has at most nine digits after the point. */
export function nanoUsdOf(text: string): bigint {
  const [whole = '0', fraction = ''] = text.split('.');
  return BigInt(whole) * NANO + BigInt(fraction.padEnd(DIGITS, '0'));
}

/** 1500000000n → `1.5`. */
export function usdText(nano: bigint): string {
  const fraction = (nano % NANO).toString().padStart(DIGITS, '0').replace(/0+$/, '');
  return fraction ? `${nano / NANO}.${fraction}` : (nano / NANO).toString();
}

/** US dollars: integer nano-USD in code, a decimal string on the wire. */
export const Usd = z
  .codec(
    z
      .string()
      .regex(/^\d{1,12}(\.\d{1,9})?$/, 'must be US dollars as decimal text, e.g. "2.50"')
      .meta({ examples: ['0.012345'] }),
    z.custom<bigint>((value) => typeof value === 'bigint'),
    { decode: nanoUsdOf, encode: usdText },
  )
  .meta({ id: 'Usd', description: 'US dollars as decimal text, with at most nine digits after the point' });
