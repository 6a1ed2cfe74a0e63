import { recordAudit } from '#lib/audit';
import { Bus } from '#lib/bus';
import { RoostError } from '#lib/contracts';
import { Database, newId, type Transaction } from '#lib/database';
import { EVERY_TEN_MINUTES, Sweep } from '#lib/sweeps';
import { Injectable } from '@nestjs/common';
import { createHash } from 'node:crypto';
import { v5 } from 'uuid';
import {
  addSession,
  addSessionOf,
  endSession,
  endSessionsBeyond,
  endSessionsOf,
  isIssuedSinceRefusal,
  isSessionFresh,
  isSessionValid,
  nextGeneration,
  repeatedGeneration,
  sweepSessions,
} from './login-sessions.repository.js';
import { ACCESS_SECONDS, REFRESH_SECONDS, type ShownToken, Tokens } from './tokens/tokens.js';
import { holdUser, lockUser, type User } from './users.repository.js';
import { type SignedIn, Users, wrongCredentials } from './users.js';

/** Sent when a sign-in was ended or an account changed: whoever serves a stream for it checks at once. */
export const ACCESS_CHANGED = 'gateway.access.changed';

/** Of a user; the one unused for longest goes first. */
const MAX_SESSIONS = 100;
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
export class LoginSessions {
  constructor(
    private readonly database: Database,
    private readonly tokens: Tokens,
    private readonly users: Users,
    private readonly bus: Bus,
  ) {}

  /** Rows are kept after their end until no token of theirs is valid any more: one that is shown then is known as used. */
  @Sweep('gateway.login-sessions', EVERY_TEN_MINUTES)
  sweep(): Promise<void> {
    return sweepSessions(this.database);
  }

  /** For a user who has just shown who they are. Errors: UNAUTHORIZED where the password was replaced since. */
  async begin(signedIn: SignedIn): Promise<IssuedTokens> {
    return this.issue(signedIn.user, { id: await this.open(signedIn), generation: 0 });
  }

  /** The same without tokens: its id, by which it can be ended. */
  async open({ user, passwordHash }: SignedIn): Promise<string> {
    const id = newId();
    const ended = await this.database.transaction(async (tx) => {
      // Comparing a password takes long enough for its owner to replace it, which ends the sign-ins that are there.
      if (!(await holdUser(tx, user.id, passwordHash))) throw wrongCredentials();
      await addSession(tx, id, user.id, REFRESH_SECONDS);
      await recordAudit(tx, { action: 'user.signed_in', ...byThemselves(user) });
      return endSessionsBeyond(tx, user.id, MAX_SESSIONS);
    });
    if (ended) this.announce();
    return id;
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
    const current = { id, userId: user.id, generation: shown.generation };
    // Who did not get the answer repeats the call with its key: the first answer was lost.
    const generation =
      (await nextGeneration(this.database, current, keyHash, REFRESH_SECONDS)) ??
      (keyHash === null ? undefined : await repeatedGeneration(this.database, current, keyHash));
    if (generation === undefined) {
      await this.end(id, user.id);
      throw notValid();
    }
    return this.issue(user, { id, generation });
  }

  /** Whether the sign-in of a token is still valid. */
  isValid({ userId, sessionId, issuedAt }: ShownToken): Promise<boolean> {
    return sessionId === undefined
      ? isIssuedSinceRefusal(this.database, userId, issuedAt)
      : isSessionValid(this.database, sessionId, userId);
  }

  /** Whether the user signed in within the last minutes, and not only refreshed tokens. */
  isFresh(userId: string, sessionId: string | undefined, minutes: number): Promise<boolean> {
    return isSessionFresh(this.database, sessionId, { userId, minutes });
  }

  /** Ends one sign-in in every gateway. A second time changes nothing. */
  async end(sessionId: string, userId: string): Promise<void> {
    const hasEnded = await this.database.transaction(async (tx) => {
      const ended = await endSession(tx, sessionId, userId);
      if (ended) await recordAudit(tx, { action: 'user.signed_out', ...byThemselves({ id: userId, ...ended }) });
      return ended;
    });
    if (hasEnded) this.announce();
  }

  /** Ends all sign-ins of a user, but for the one given. */
  async endAll(tx: Transaction, userId: string, exceptSessionId?: string): Promise<void> {
    await lockUser(tx, userId);
    await endSessionsOf(tx, userId, exceptSessionId);
    tx.afterCommit(() => this.announce());
  }

  endAllOf(userId: string): Promise<void> {
    return this.database.transaction(async (tx) => {
      await this.endAll(tx, userId);
      await recordAudit(tx, { action: 'user.signed_out_everywhere', target: { type: 'user', id: userId } });
    });
  }

  /** The previous version's tokens have a sign-in from when they are first shown. */
  private async nameSession(userId: string, refreshToken: string, shown: ShownToken): Promise<string> {
    const id = v5(refreshToken, NAMELESS);
    await addSessionOf(this.database, { id, userId, issuedAt: shown.issuedAt }, REFRESH_SECONDS);
    return id;
  }

  private async issue(user: User, session: { id: string; generation: number }): Promise<IssuedTokens> {
    const [token, refreshToken] = await Promise.all([
      this.tokens.sign(user, 'access', session),
      this.tokens.sign(user, 'refresh', session),
    ]);
    return { token, refreshToken, expiresIn: ACCESS_SECONDS };
  }

  private announce(): void {
    this.bus.signal(ACCESS_CHANGED);
  }
}

/** Of a user who has just shown who they are: no credential was with the request. */
const byThemselves = ({ id, accountId }: Pick<User, 'id' | 'accountId'>) => ({
  target: { type: 'user', id },
  actor: { type: 'user', id } as const,
  accountId,
});

const notValid = () => new RoostError('UNAUTHORIZED', 'the refresh token is not valid: sign in again');
const hashOf = (text: string) => createHash('sha256').update(text).digest('base64url');
