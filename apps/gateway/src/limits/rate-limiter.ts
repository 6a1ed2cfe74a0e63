import { CONFIG } from '#lib/bus';
import { RoostError } from '#lib/contracts';
import { Database } from '#lib/database';
import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import type { GatewayConfig } from '../config.js';

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
  private untold = new Map<string, number>();
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

  /** Counts a request and says in its headers what is left. Errors: RATE_LIMITED. */
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
    this.untold.set(accountId, (this.untold.get(accountId) ?? 0) + 1);
  }

  private turnWindow(): void {
    const now = currentWindow();
    if (now === this.window) return;
    this.window = now;
    this.total = new Map();
    this.untold = new Map();
  }

  private async share(): Promise<void> {
    this.turnWindow();
    if (this.untold.size === 0) return;
    if (this.sweptWindow !== this.window) await this.sweep().catch(() => undefined);
    const { window, untold } = this;
    this.untold = new Map();
    try {
      // In one order everywhere, so that replicas do not wait for each other in a circle.
      const sums = await this.database.query<{ account_id: string; count: number }>(
        `INSERT INTO rate_counts AS kept (account_id, minute, count)
         SELECT account_id, $1, count FROM unnest($2::uuid[], $3::int[]) AS told (account_id, count)
         WHERE EXISTS (SELECT FROM accounts WHERE accounts.id = account_id) -- not one deleted since it was counted
         ORDER BY account_id
         ON CONFLICT (account_id, minute) DO UPDATE SET count = kept.count + excluded.count
         RETURNING account_id, count`,
        [window, [...untold.keys()], [...untold.values()]],
      );
      if (window !== this.window) return;
      for (const { account_id, count } of sums) this.total.set(account_id, count + (this.untold.get(account_id) ?? 0));
    } catch {
      // Told the next time; until then this replica counts for itself.
      if (window !== this.window) return;
      for (const [account, count] of untold) this.untold.set(account, (this.untold.get(account) ?? 0) + count);
    }
  }

  /** Minutes that are over. */
  private async sweep(): Promise<void> {
    this.sweptWindow = this.window;
    await this.database.query(`DELETE FROM rate_counts WHERE minute < $1`, [this.window - 1]);
  }
}

const currentWindow = () => Math.floor(Date.now() / WINDOW_MS);
