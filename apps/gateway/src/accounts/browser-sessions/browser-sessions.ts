import { recordAudit } from '#lib/audit';
import { Bus } from '#lib/bus';
import { Database, newId, type Transaction } from '#lib/database';
import { EVERY_TEN_MINUTES, Sweep } from '#lib/sweeps';
import { Injectable } from '@nestjs/common';
import { hash, randomBytes } from 'node:crypto';
import type { Identity } from '../identity.js';
import { ACCESS_CHANGED, LoginSessions } from '../login-sessions.js';
import { REFRESH_SECONDS } from '../tokens/tokens.js';
import {
  addBrowserSession,
  endBrowserSession,
  endBrowserSessionsBeyond,
  findBrowserSession,
  type FoundSession,
  keyIdOf,
  offerSecret,
  type SessionOrigin,
  sweepBrowserSessions,
  takeUpSecret,
} from './browser-sessions.repository.js';

/** Of an account; the one unused for longest goes first. */
const MAX_SESSIONS = 100;
/** As often as a token is renewed. */
const ROTATE_AFTER_SECONDS = 3_600;
/** Requests that were under way with the secret before, and an answer with a new one that was lost. */
const GRACE_SECONDS = 60;
const TOKEN = /^roost_bs_([0-9a-f-]{36})\.([\w-]{43})$/;

export interface BrowserIdentity {
  identity: Identity;
  /** What the cookie shall hold from now on; absent where it stays. */
  nextToken?: string;
}

/**
 * Sign-ins of browsers. The cookie holds an id and a secret, of which the hash is kept. After an hour the next answer
 * offers a new secret; the one before counts until the new one is shown, so that a lost answer signs nobody out. One
 * that is shown later than that was stolen, or its thief was faster: the session ends.
 */
@Injectable()
export class BrowserSessions {
  constructor(
    private readonly database: Database,
    private readonly bus: Bus,
    private readonly logins: LoginSessions,
  ) {}

  @Sweep('gateway.browser-sessions', EVERY_TEN_MINUTES)
  sweep(): Promise<void> {
    return sweepBrowserSessions(this.database);
  }

  /** A new session with an id and a secret of its own, whatever cookie was sent. Returns what the cookie holds. */
  async begin(accountId: string, origin: SessionOrigin): Promise<string> {
    const [id, secret] = [newId(), newSecret()];
    const ended = await this.database.transaction(async (tx) => {
      await addBrowserSession(tx, { id, accountId, origin, hash: hashOf(secret), lifetimeSeconds: REFRESH_SECONDS });
      if ('keyHash' in origin) await recordByKey(tx, 'browser_session.created', { id, accountId, ...origin });
      return endBrowserSessionsBeyond(tx, accountId, MAX_SESSIONS);
    });
    if (ended) this.bus.signal(ACCESS_CHANGED);
    return tokenOf(id, secret);
  }

  /** Whose session it is; undefined for one that is unknown or has ended. */
  async identify(token: string): Promise<BrowserIdentity | undefined> {
    const [, id, secret] = TOKEN.exec(token) ?? [];
    if (id === undefined || secret === undefined) return undefined;
    const shown = hashOf(secret);
    const times = { dueSeconds: ROTATE_AFTER_SECONDS, graceSeconds: GRACE_SECONDS };
    const found = await findBrowserSession(this.database, { id, hash: shown, ...times });
    if (!found) return undefined;
    if (found.shown === 'used') await this.endById(id, found);
    if (found.shown === 'used' || found.shown === 'unknown') return undefined;
    if (found.shown === 'next')
      await takeUpSecret(this.database, { id, nextHash: shown, lifetimeSeconds: REFRESH_SECONDS });
    const identity: Identity = {
      accountId: found.accountId,
      agentsEnabled: found.agentsEnabled,
      isOperator: found.isOperator,
      ...(found.userId === null ? {} : { userId: found.userId }),
      ...(found.loginSessionId === null ? {} : { sessionId: found.loginSessionId }),
      credential: { kind: 'browser', id, keyId: found.keyId },
    };
    const nextToken = found.shown === 'current' && found.isDue ? await this.offer(id, shown) : undefined;
    return { identity, ...(nextToken === undefined ? {} : { nextToken }) };
  }

  /** Ends it in every gateway, with all that is open by it. A second time, or a token that is none, changes nothing. */
  async end(token: string): Promise<void> {
    const identity = (await this.identify(token))?.identity;
    if (identity?.credential.kind !== 'browser') return;
    const { userId = null, sessionId: loginSessionId = null } = identity;
    await this.endById(identity.credential.id, { userId, loginSessionId });
  }

  /** With the user's sign-in that it belongs to. */
  private async endById(
    id: string,
    { userId, loginSessionId }: Pick<FoundSession, 'userId' | 'loginSessionId'>,
  ): Promise<void> {
    const hasEnded = await this.database.transaction(async (tx) => {
      const ended = await endBrowserSession(tx, id);
      if (!ended) return false;
      const { accountId, keyHash } = ended;
      if (keyHash !== null) await recordByKey(tx, 'browser_session.ended', { id, accountId, keyHash });
      return true;
    });
    if (hasEnded) this.bus.signal(ACCESS_CHANGED);
    if (userId !== null && loginSessionId !== null) await this.logins.end(loginSessionId, userId);
  }

  private async offer(id: string, shown: string): Promise<string | undefined> {
    const secret = newSecret();
    const next = { id, hash: shown, nextHash: hashOf(secret), graceSeconds: GRACE_SECONDS };
    return (await offerSecret(this.database, next)) ? tokenOf(id, secret) : undefined;
  }
}

/** A session of a user is in the audit as their sign-in; one of a key by itself. */
async function recordByKey(
  tx: Transaction,
  action: string,
  { id, accountId, keyHash }: { id: string; accountId: string; keyHash: string },
): Promise<void> {
  const keyId = await keyIdOf(tx, keyHash);
  const actor = keyId === undefined ? undefined : ({ type: 'api_key', id: keyId } as const);
  await recordAudit(tx, { action, target: { type: 'browser_session', id }, accountId, ...(actor ? { actor } : {}) });
}

const newSecret = () => randomBytes(32).toString('base64url');
const tokenOf = (id: string, secret: string) => `roost_bs_${id}.${secret}`;
/** 256 bits of chance: a plain hash is enough. */
const hashOf = (secret: string) => hash('sha256', secret);
