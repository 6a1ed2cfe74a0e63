import { randomFillSync } from 'node:crypto';
import { v7 } from 'uuid';

const RANDOM_BYTES = 16;

/** Asking the system for randomness costs more than all the rest of an id: it is asked for many at a time. */
const pool = new Uint8Array(256 * RANDOM_BYTES);
let used = pool.length;
let msecs = 0;
let seq = 0;

/** A new id (UUID v7): greater than all that this process made before. */
export function newId(): string {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const random = pool.subarray(used, (used += RANDOM_BYTES));
  const now = Date.now();
  if (now > msecs) {
    msecs = now;
    // Without the highest of its 32 bits: a wider range than a process makes ids.
    seq = ((random[6]! & 0x7f) << 24) | (random[7]! << 16) | (random[8]! << 8) | random[9]!;
  } else seq++;
  return v7({ random, msecs, seq });
}
