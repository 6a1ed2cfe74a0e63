import { CONFIG } from '#lib/bus';
import { RoostError } from '#lib/contracts';
import { Database } from '#lib/database';
import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import type { GatewayConfig } from '../config.js';
import { addCounts, forgetCountsBefore } from './rate-counts.repository.js';

const WINDOW_MS = 60_000;
const SHARE_EVERY_MS = 250;

/**
 * Requests per minute and account. Each replica counts in memory and adds what it counted to Postgres four times a
 * second, in one statement for all accounts, which gives back the sum over all replicas.
 * Promised: no wait for the database in a request; a replica that starts anew knows what was counted. Not promised: an
 * exact limit over replicas; each may let through what the others counted in the last quarter of a second. While
 * Postgres is away each counts for itself.
 */
@Injectable()
export class RateLimiter implements OnApplicationBootstrap, OnApplicationShutdown {
  private window = currentWindow();
  private sweptWindow = 0;
  private total = new Map<string, number>();
  private unshared = new Map<string, number>();
  private timer: NodeJS.Timeout | undefined;
  private sharing: Promise<void> | undefined;

  constructor(
    private readonly database: Database,
    @Inject(CONFIG) private readonly config: GatewayConfig,
  ) {}

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => {
      this.sharing ??= this.share().finally(() => (this.sharing = undefined));
    }, SHARE_EVERY_MS).unref();
  }

  async onApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    await this.sharing;
  }

  /** Counts a request and sets in its headers what is left. Errors: RATE_LIMITED. */
  admit(accountId: string, reply: FastifyReply): void {
    this.turnWindow();
    const limit = this.config.ROOST_RATE_LIMIT_PER_MINUTE;
    const count = (this.total.get(accountId) ?? 0) + 1;
    const resetSeconds = Math.ceil(((this.window + 1) * WINDOW_MS - Date.now()) / 1000);
    void reply.headers({
      'ratelimit-limit': limit,
      'ratelimit-remaining': Math.max(0, limit - count),
      'ratelimit-reset': resetSeconds,
    });
    if (count > limit)
      throw new RoostError('RATE_LIMITED', `at most ${limit} requests a minute; try again later`, [], resetSeconds);
    this.total.set(accountId, count);
    this.unshared.set(accountId, (this.unshared.get(accountId) ?? 0) + 1);
  }

  private turnWindow(): void {
    const now = currentWindow();
    if (now === this.window) return;
    this.window = now;
    this.total = new Map();
    this.unshared = new Map();
  }

  private async share(): Promise<void> {
    this.turnWindow();
    if (this.unshared.size === 0) return;
    if (this.sweptWindow !== this.window) await this.sweep();
    const { window, unshared } = this;
    this.unshared = new Map();
    try {
      const sums = await addCounts(this.database, window, unshared);
      if (window !== this.window) return;
      for (const [account, count] of sums) this.total.set(account, count + (this.unshared.get(account) ?? 0));
    } catch {
      // Shared the next time; until then this replica counts for itself.
      if (window !== this.window) return;
      for (const [account, count] of unshared) this.unshared.set(account, (this.unshared.get(account) ?? 0) + count);
    }
  }

  /** Minutes that are over. What fails is swept with the next minute. */
  private async sweep(): Promise<void> {
    this.sweptWindow = this.window;
    await forgetCountsBefore(this.database, this.window - 1).catch(() => undefined);
  }
}

const currentWindow = () => Math.floor(Date.now() / WINDOW_MS);
