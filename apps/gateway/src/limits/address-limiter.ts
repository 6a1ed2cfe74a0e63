import { CONFIG } from '#lib/bus';
import { RoostError } from '#lib/contracts';
import { Inject, Injectable } from '@nestjs/common';
import type { GatewayConfig } from '../config.js';
import { addressKey } from './address-key.js';

const WINDOW_MS = 60_000;
/** Addresses counted at once, about 10 MB; beyond it the one counted longest ago is forgotten. */
const MAX_ADDRESSES = 100_000;
/** Credentials remembered as good; each of the last two windows has so many. */
const MAX_PROVEN = 10_000;

/**
 * Requests per minute and address that come without a good key. Past the limit nothing of that address is looked at,
 * neither in the database nor by a signature, but requests with a key or token that was good in the last two minutes:
 * who shares an address with an attacker goes on working.
 * Counted in memory: each replica lets through as many.
 */
@Injectable()
export class AddressLimiter {
  private window = 0;
  private counts = new Map<string, number>();
  private proven = new Set<string>();
  private provenBefore = new Set<string>();

  constructor(@Inject(CONFIG) private readonly config: GatewayConfig) {}

  /** Errors: RATE_LIMITED. */
  admit(address: string, credential: string | undefined): void {
    this.turnWindow();
    if (this.counts.size === 0) return;
    const limit = this.config.ROOST_ADDRESS_LIMIT_PER_MINUTE;
    if ((this.counts.get(addressKey(address)) ?? 0) < limit) return;
    if (credential !== undefined && (this.proven.has(credential) || this.provenBefore.has(credential))) return;
    const seconds = Math.ceil(((this.window + 1) * WINDOW_MS - Date.now()) / 1_000);
    throw new RoostError(
      'RATE_LIMITED',
      `at most ${limit} requests a minute without a valid key from one address; try again later`,
      [{ reason: 'address', max: limit }],
      Math.max(1, seconds),
    );
  }

  /** Counts a request that came without a good key. */
  count(address: string): void {
    this.turnWindow();
    const key = addressKey(address);
    const count = this.counts.get(key) ?? 0;
    if (count === 0 && this.counts.size >= MAX_ADDRESSES) {
      const [oldest] = this.counts.keys();
      this.counts.delete(oldest ?? '');
    }
    this.counts.set(key, count + 1);
  }

  /** Remembers a key or token that was found to be good. */
  prove(credential: string): void {
    if (this.proven.has(credential) || this.proven.size >= MAX_PROVEN) return;
    this.proven.add(credential);
  }

  private turnWindow(): void {
    const now = Math.floor(Date.now() / WINDOW_MS);
    if (now === this.window) return;
    this.window = now;
    this.counts = new Map();
    this.provenBefore = this.proven;
    this.proven = new Set();
  }
}
