import { createHash, timingSafeEqual } from 'node:crypto';

/** Compares what somebody gave with what is secret, as digests: the time reveals neither the length nor where they differ. */
export function isSameSecret(given: string, expected: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}
