import { Bus } from '#lib/bus';
import { RoostError } from '#lib/contracts';
import { Database, newId, type Transaction } from '#lib/database';
import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { createHash } from 'node:crypto';
import { v5 } from 'uuid';
import { ACCESS_SECONDS, REFRESH_SECONDS, type ShownToken, Tokens } from './tokens/tokens.js';
import type { User } from './users.repository.js';
import { Users } from './users.js';

/** Sent when a sign-in was ended or an account changed: whoever serves a stream for it looks at once. */
export const ACCESS_CHANGED = 'gateway.access.changed';

/** A refresh that is repeated with its Idempotency-Key within this time gets an answer again: the first was lost. */
const RETRY_WITHIN = '2 minutes';
/** Of a user; the one unused for longest goes first. */
const MAX_SESSIONS = 100;
const SWEEP_EVERY_MS = 10 * 60_000;
/** Names the sign-in of a refresh token of the previous version, which names none: used twice, it is found again. */
const NAMELESS = '6f0d2b0e-7a55-4b0c-9a57-3d1a7f1c6a10';

export interface IssuedTokens {
  token: string;
  refreshToken: string;
  expiresIn: number;
}

/**
 * Sign-ins and their tokens. A refresh token works once and is replaced by the next; one that is shown again was
 * stolen, or its thief was faster: the sign-in ends, and with it every token that came of it.
 */
@Injectable()
export class LoginSessions implements OnApplicationBootstrap, OnApplicationShutdown {
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly database: Database,
    private readonly tokens: Tokens,
    private readonly users: Users,
    private readonly bus: Bus,
  ) {}

  onApplicationBootstrap(): void {
    // A sweep that fails is done by the next one; the rows only take room.
    this.timer = setInterval(() => void this.sweep().catch(() => undefined), SWEEP_EVERY_MS).unref();
  }

  onApplicationShutdown(): void {
    clearInterval(this.timer);
  }

  /** For a user who has just shown who they are. */
  async begin(user: User): Promise<IssuedTokens> {
    const id = newId();
    const ended = await this.database.transaction(async (tx) => {
      await tx.query(
        `INSERT INTO login_sessions (id, user_id, expires_at) VALUES ($1, $2, now() + make_interval(secs => $3))`,
        [id, user.id, REFRESH_SECONDS],
      );
      return tx.query(
        `UPDATE login_sessions SET revoked_at = now() WHERE revoked_at IS NULL AND id IN (
           SELECT id FROM login_sessions WHERE user_id = $1 AND revoked_at IS NULL
           ORDER BY rotated_at DESC, id DESC OFFSET $2) RETURNING id`,
        [user.id, MAX_SESSIONS],
      );
    });
    if (ended.length > 0) this.told();
    return this.issue(user, { id, generation: 0 });
  }

  /**
   * The next tokens for a refresh token. `retryKey` is the caller's Idempotency-Key: who did not get the answer sends
   * the same token with the same key again.
   * Errors: UNAUTHORIZED (forged, old, ended; shown a second time, which ends the sign-in).
   */
  async refresh(refreshToken: string, retryKey: string | undefined): Promise<IssuedTokens> {
    const shown = await this.tokens.verify(refreshToken, 'refresh');
    const user = shown && (await this.users.find(shown.userId));
    if (!shown || !user) throw notValid();
    const id = shown.sessionId ?? (await this.nameSession(user.id, refreshToken, shown));
    const keyHash = retryKey === undefined ? null : hashOf(`${id} ${retryKey}`);
    const [next] = await this.database.query<{ generation: number }>(
      `UPDATE login_sessions SET generation = generation + 1, rotated_at = now(), retry_key_hash = $4,
              expires_at = now() + make_interval(secs => $5)
        WHERE id = $1 AND user_id = $2 AND generation = $3 AND revoked_at IS NULL AND expires_at > now()
        RETURNING generation`,
      [id, user.id, shown.generation, keyHash, REFRESH_SECONDS],
    );
    const generation = next?.generation ?? (await this.repeated(id, user.id, shown.generation, keyHash));
    if (generation === undefined) {
      await this.end(id, user.id);
      throw notValid();
    }
    return this.issue(user, { id, generation });
  }

  /** Whether the sign-in of a token is still valid. */
  async isValid({ userId, sessionId, issuedAt }: ShownToken): Promise<boolean> {
    const [row] = await this.database.query(
      sessionId === undefined
        ? `SELECT 1 FROM users WHERE id = $1 AND tokens_valid_after < $2`
        : `SELECT 1 FROM login_sessions WHERE user_id = $1 AND id = $2 AND revoked_at IS NULL AND expires_at > now()`,
      [userId, sessionId ?? issuedAt],
    );
    return row !== undefined;
  }

  /** Whether the user signed in within the last minutes, and not only refreshed tokens. */
  async isFresh(userId: string, sessionId: string | undefined, minutes: number): Promise<boolean> {
    const [row] = await this.database.query(
      `SELECT 1 FROM login_sessions WHERE user_id = $1 AND id = $2 AND revoked_at IS NULL
          AND created_at > now() - make_interval(mins => $3)`,
      [userId, sessionId ?? null, minutes],
    );
    return row !== undefined;
  }

  /** Ends one sign-in in every gateway. A second time changes nothing. */
  async end(sessionId: string, userId: string): Promise<void> {
    const ended = await this.database.query(
      `UPDATE login_sessions SET revoked_at = now() WHERE id = $1 AND user_id = $2 AND revoked_at IS NULL RETURNING id`,
      [sessionId, userId],
    );
    if (ended.length > 0) this.told();
  }

  /** Ends all sign-ins of a user, but for the one given. */
  async endAll(tx: Transaction, userId: string, exceptSessionId?: string): Promise<void> {
    await tx.query(
      `UPDATE login_sessions SET revoked_at = now()
        WHERE user_id = $1 AND revoked_at IS NULL AND ($2::uuid IS NULL OR id <> $2)`,
      [userId, exceptSessionId ?? null],
    );
    await tx.query(`UPDATE users SET tokens_valid_after = now() WHERE id = $1`, [userId]);
    tx.afterCommit(() => this.told());
  }

  endAllOf(userId: string): Promise<void> {
    return this.database.transaction((tx) => this.endAll(tx, userId));
  }

  /** The previous version's tokens have a sign-in from when they are first shown. */
  private async nameSession(userId: string, refreshToken: string, shown: ShownToken): Promise<string> {
    const id = v5(refreshToken, NAMELESS);
    await this.database.query(
      `INSERT INTO login_sessions (id, user_id, expires_at)
       SELECT $1, id, now() + make_interval(secs => $4) FROM users WHERE id = $2 AND tokens_valid_after < $3
       ON CONFLICT DO NOTHING`,
      [id, userId, shown.issuedAt, REFRESH_SECONDS],
    );
    return id;
  }

  private async repeated(id: string, userId: string, shownGeneration: number, keyHash: string | null) {
    if (keyHash === null) return undefined;
    const [row] = await this.database.query<{ generation: number }>(
      `SELECT generation FROM login_sessions WHERE id = $1 AND user_id = $2 AND generation = $3 AND retry_key_hash = $4
          AND revoked_at IS NULL AND rotated_at > now() - $5::interval`,
      [id, userId, shownGeneration + 1, keyHash, RETRY_WITHIN],
    );
    return row?.generation;
  }

  private async issue(user: User, session: { id: string; generation: number }): Promise<IssuedTokens> {
    const [token, refreshToken] = await Promise.all([
      this.tokens.sign(user, 'access', session),
      this.tokens.sign(user, 'refresh', session),
    ]);
    return { token, refreshToken, expiresIn: ACCESS_SECONDS };
  }

  private told(): void {
    this.bus.signal(ACCESS_CHANGED);
  }

  /** Kept after their end until no token of theirs is valid any more: a token that is shown then is known as used. */
  private async sweep(): Promise<void> {
    await this.database.query(
      `DELETE FROM login_sessions WHERE id IN (SELECT id FROM login_sessions WHERE expires_at < now() LIMIT 10000)`,
    );
  }
}

const notValid = () => new RoostError('UNAUTHORIZED', 'the refresh token is not valid: sign in again');
const hashOf = (text: string) => createHash('sha256').update(text).digest('base64url');
