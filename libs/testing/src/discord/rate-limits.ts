/** https://docs.discord.com/developers/topics/rate-limits */
export interface Limit {
  /** `POST /channels/:id/messages`, as in the documentation; ids are not part of a route. */
  route: RegExp;
  limit: number;
  perMs: number;
}

export interface Verdict {
  headers: Record<string, string>;
  /** There when the request is refused. */
  refusal?: { retryAfterSeconds: number; isGlobal: boolean; scope: 'user' | 'shared' | 'global' };
}

interface Window {
  used: number;
  resetAt: number;
}

/** Fixed windows per bot, route and major parameter, plus one over all routes. */
export class RateLimits {
  limits: Limit[] = [{ route: /^POST \/channels\/:id\/messages$/, limit: 5, perMs: 5_000 }];
  globalPerSecond = 50;
  private readonly windows = new Map<string, Window>();
  private readonly globals = new Map<string, Window>();
  private readonly forced: { route: RegExp; until: number; isGlobal: boolean }[] = [];
  refused = 0;

  /** Answers 429 on these routes for a time, whatever was used. */
  force(route: RegExp, seconds: number, isGlobal = false): void {
    this.forced.push({ route, until: Date.now() + seconds * 1_000, isGlobal });
  }

  /** Ends what was forced. */
  free(): void {
    this.forced.length = 0;
  }

  take(token: string, route: string, major: string): Verdict {
    const now = Date.now();
    const forced = this.forced.find((entry) => entry.until > now && (entry.isGlobal || entry.route.test(route)));
    if (forced) return this.refuse((forced.until - now) / 1_000, forced.isGlobal ? 'global' : 'shared', {});
    const overall = windowOf(this.globals, token, now, 1_000);
    if (++overall.used > this.globalPerSecond) return this.refuse((overall.resetAt - now) / 1_000, 'global', {});
    const rule = this.limits.find((limit) => limit.route.test(route));
    if (!rule) return { headers: {} };
    const window = windowOf(this.windows, `${token} ${route} ${major}`, now, rule.perMs);
    const isOver = window.used >= rule.limit;
    if (!isOver) window.used += 1;
    const seconds = (window.resetAt - now) / 1_000;
    const headers = {
      'x-ratelimit-limit': String(rule.limit),
      'x-ratelimit-remaining': String(rule.limit - window.used),
      'x-ratelimit-reset': (window.resetAt / 1_000).toFixed(3),
      'x-ratelimit-reset-after': seconds.toFixed(3),
      'x-ratelimit-bucket': Buffer.from(route).toString('hex').slice(-32),
    };
    return isOver ? this.refuse(seconds, 'user', headers) : { headers };
  }

  private refuse(seconds: number, scope: 'user' | 'shared' | 'global', headers: Record<string, string>): Verdict {
    this.refused += 1;
    const isGlobal = scope === 'global';
    return {
      headers: {
        ...headers,
        'retry-after': String(Math.ceil(seconds)),
        'x-ratelimit-scope': scope,
        ...(isGlobal ? { 'x-ratelimit-global': 'true' } : {}),
      },
      refusal: { retryAfterSeconds: Number(seconds.toFixed(3)), isGlobal, scope },
    };
  }
}

function windowOf(windows: Map<string, Window>, key: string, now: number, perMs: number): Window {
  const known = windows.get(key);
  if (known && known.resetAt > now) return known;
  const fresh = { used: 0, resetAt: now + perMs };
  windows.set(key, fresh);
  return fresh;
}
