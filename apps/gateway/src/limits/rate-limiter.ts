import { Bus, CONFIG } from '#lib/bus';
import { newId } from '#lib/database';
import { RoostError } from '#lib/contracts';
import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import type { FastifyReply } from 'fastify';

const WINDOW_MS = 60_000;
const SHARE_EVERY_MS = 500;
const SUBJECT = 'gateway.rate.counted';

interface Counted {
  replica: string;
  window: number;
  counts: Record<string, number>;
}

/**
 * Requests per minute and account, counted in memory and told to the other replicas twice a second.
 * Promised: no work in the database for it. Not promised: an exact limit over replicas; each may let through what it
 * was not yet told of.
 */
@Injectable()
export class RateLimiter implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly replica = newId();
  private window = currentWindow();
  private total = new Map<string, number>();
  private untold = new Map<string, number>();
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly bus: Bus,
    @Inject(CONFIG) private readonly config: { ROOST_RATE_LIMIT_PER_MINUTE: number },
  ) {}

  onApplicationBootstrap(): void {
    this.bus.connection.subscribe(SUBJECT, {
      callback: (error, message) => {
        if (!error) this.hear(message.json<Counted>());
      },
    });
    this.timer = setInterval(() => this.tell(), SHARE_EVERY_MS).unref();
  }

  onApplicationShutdown(): void {
    clearInterval(this.timer);
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

  private tell(): void {
    this.turnWindow();
    if (this.untold.size === 0) return;
    const counted: Counted = { replica: this.replica, window: this.window, counts: Object.fromEntries(this.untold) };
    this.untold = new Map();
    this.bus.signal(SUBJECT, counted);
  }

  private hear({ replica, window, counts }: Counted): void {
    this.turnWindow();
    if (replica === this.replica || window !== this.window) return;
    for (const [account, count] of Object.entries(counts))
      this.total.set(account, (this.total.get(account) ?? 0) + count);
  }
}

const currentWindow = () => Math.floor(Date.now() / WINDOW_MS);
