import { CONFIG } from '#lib/bus';
import { RoostError } from '#lib/contracts';
import { Database, newId } from '#lib/database';
import { guardedDispatcher, type GuardPolicy, policyOf } from '#lib/net-guard';
import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LifecycleConfig } from '../config.js';
import { fetchToken } from './fetch-token.js';
import { dropLease, findWithToken, keepToken, type NewToken, takeLease } from './tokens.repository.js';
import type { SecretRow } from './vault-row.js';
import { VaultValues } from './vault-values.js';

export interface AccessToken {
  token: string;
  /** When it is to be asked for again: before the server's own time. */
  expiresAt: Date;
}

/** A token is renewed this much before its end, or in the last tenth of a short life. */
const EARLY_MS = 60_000;
/** What failed is not tried again for so long: a program that repeats its requests would flood the token's server. */
const FAILURE_MS = 5_000;
/** Longer than a request for a token may take. */
const LEASE_SECONDS = 20;
/** A token that cannot be stored for so long, as while the database is away, is given up with its refresh token. */
const KEEP_MS = 60_000;
const KEEP_PAUSE_MS = 500;
const WAIT_MS = 15_000;
const POLL_MS = 100;
const MAX_FAILURES = 1_000;

/**
 * Access tokens of oauth2 secrets and of GitHub Apps: kept sealed, renewed by one replica at a time, so that a refresh token
 * that is good for one use is used once. What a server sends as the next refresh token is stored before the access token
 * is given out.
 */
@Injectable()
export class AccessTokens implements OnApplicationShutdown {
  private readonly policy: GuardPolicy;
  private readonly dispatcher: ReturnType<typeof guardedDispatcher>;
  private readonly running = new Map<string, Promise<AccessToken>>();
  private readonly failures = new Map<string, { until: number; revision: number; error: RoostError }>();

  constructor(
    private readonly database: Database,
    private readonly values: VaultValues,
    @Inject(CONFIG) config: LifecycleConfig,
  ) {
    this.policy = policyOf(config.ROOST_VAULT_NETWORK);
    this.dispatcher = guardedDispatcher(this.policy);
  }

  async onApplicationShutdown(): Promise<void> {
    await this.dispatcher.destroy();
  }

  /** Errors: SERVICE_UNAVAILABLE with the server's error code, NOT_FOUND. */
  of({ id }: Pick<SecretRow, 'id'>): Promise<AccessToken> {
    const known = this.running.get(id);
    if (known) return known;
    const fresh = this.obtain(id).finally(() => this.running.delete(id));
    this.running.set(id, fresh);
    return fresh;
  }

  private async obtain(secretId: string): Promise<AccessToken> {
    for (const deadline = Date.now() + WAIT_MS; Date.now() < deadline; await sleep(POLL_MS)) {
      const secret = await findWithToken(this.database, secretId);
      if (!secret) throw new RoostError('NOT_FOUND', 'there is no such secret');
      const { sealed_token: sealed, expires_at: expiresAt } = secret;
      if (sealed && expiresAt && expiresAt.getTime() > Date.now())
        return { token: this.values.openToken(secretId, sealed), expiresAt };
      const failure = this.failures.get(secretId);
      if (failure && failure.until > Date.now() && failure.revision === secret.rotated_at.getTime())
        throw failure.error;
      const lease = newId();
      if (!(await takeLease(this.database, secretId, lease, LEASE_SECONDS))) continue;
      const token = await this.renew(secretId, lease);
      if (token) return token;
    }
    throw new RoostError('SERVICE_UNAVAILABLE', 'no token was to be had in time');
  }

  /** Undefined when the secret was changed meanwhile: what was fetched is of the old value. */
  private async renew(secretId: string, lease: string): Promise<AccessToken | undefined> {
    const secret = await findWithToken(this.database, secretId, lease);
    if (!secret) return undefined;
    try {
      const credential = this.values.open(secret);
      const { token, lifeMs, refreshToken } = await fetchToken(credential, this.policy, this.dispatcher);
      const expiresAt = new Date(Date.now() + lifeMs - Math.min(EARLY_MS, lifeMs / 10));
      const isKept = await this.keep({
        ...{ secretId, lease, expiresAt, usedValue: secret.sealed_value },
        sealedToken: this.values.sealToken(secretId, token),
        sealedValue: refreshToken && this.values.seal(secretId, { ...credential, refreshToken } as typeof credential),
      });
      this.failures.delete(secretId);
      return isKept ? { token, expiresAt } : undefined;
    } catch (error) {
      await dropLease(this.database, secretId, lease);
      const failure =
        error instanceof RoostError ? error : new RoostError('SERVICE_UNAVAILABLE', 'the token could not be fetched');
      if (this.failures.size >= MAX_FAILURES) this.failures.clear();
      this.failures.set(secretId, {
        until: Date.now() + FAILURE_MS,
        revision: secret.rotated_at.getTime(),
        error: failure,
      });
      throw failure;
    }
  }

  /** Again and again while the database is away: the refresh token that was used is good no more. */
  private async keep(token: NewToken): Promise<boolean> {
    for (const deadline = Date.now() + KEEP_MS; ; await sleep(KEEP_PAUSE_MS))
      try {
        return await keepToken(this.database, token);
      } catch (error) {
        if (Date.now() > deadline) throw error;
      }
  }
}
