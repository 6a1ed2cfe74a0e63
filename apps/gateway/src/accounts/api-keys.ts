import { recordAudit } from '#lib/audit';
import { Bus } from '#lib/bus';
import { RoostError } from '#lib/contracts';
import { Database } from '#lib/database';
import { requireQuota } from '#lib/quotas';
import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { hash, randomInt } from 'node:crypto';
import { holdAccess } from '../access/credentials.repository.js';
import {
  addKey,
  findKeyOwner,
  isKeyKnown,
  type KeyRow,
  countKeys,
  listKeys,
  localAccount,
  noteKeysUsed,
  revokeKey,
} from './api-keys.repository.js';
import type { Identity } from './identity.js';
import { AccountQuotas } from './quotas/account-quotas.js';

export interface KeyOwner {
  /** The account's. */
  id: string;
  keyId: string;
  /** Of the key. */
  hash: string;
  agentsEnabled: boolean;
  isOperator: boolean;
}

/** How long a key that was found stays known without asking again, should a revocation's signal be lost. */
const CACHE_MS = 1_500;
const CACHE_SIZE = 10_000;
const NOTE_USE_EVERY_MS = 10_000;
const KEY = /^roost_sk_[0-9A-Za-z]{40}$/;
const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** Sent when keys or accounts changed: every gateway forgets what it knows, so that the change holds at once. */
export const KEYS_CHANGED = 'gateway.keys.changed';

/** Platform API keys. Only a hash is stored; a key has 238 bits of chance, so a plain hash is enough. */
@Injectable()
export class ApiKeys implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly known = new Map<string, { owner: KeyOwner; until: number }>();
  /** How often `known` was emptied: an owner that was read before that may have lost the key by it, and is not kept. */
  private timesForgotten = 0;
  private readonly used = new Set<string>();
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly database: Database,
    private readonly bus: Bus,
    private readonly quotas: AccountQuotas,
  ) {}

  onApplicationBootstrap(): void {
    this.bus.connection.subscribe(KEYS_CHANGED, { callback: () => this.forget() });
    this.timer = setInterval(() => void this.noteUse().catch(() => undefined), NOTE_USE_EVERY_MS).unref();
  }

  async onApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    await this.noteUse();
  }

  /** Whose key it is; undefined for an unknown or revoked one. */
  async accountOf(key: string): Promise<KeyOwner | undefined> {
    if (!KEY.test(key)) return undefined;
    const hash = hashOf(key);
    const cached = this.known.get(hash);
    if (cached && cached.until > performance.now()) {
      this.used.add(hash);
      return cached.owner;
    }
    const { timesForgotten } = this;
    const found = await findKeyOwner(this.database, hash);
    if (!found) return undefined;
    const owner = { ...found, hash };
    if (this.known.size >= CACHE_SIZE) this.known.clear();
    if (timesForgotten === this.timesForgotten) this.known.set(hash, { owner, until: performance.now() + CACHE_MS });
    this.used.add(hash);
    return owner;
  }

  /**
   * A new key of the account, for its operator or for `caller`; `key` is returned this once.
   * Errors: QUOTA_EXCEEDED, UNAUTHORIZED where the caller's own key or sign-in has ended since.
   */
  async create(accountId: string, name: string, caller?: Identity): Promise<KeyRow & { key: string }> {
    const key = `roost_sk_${Array.from({ length: 40 }, () => DIGITS[randomInt(DIGITS.length)]).join('')}`;
    const { api_keys: limit } = await this.quotas.limitsOf(accountId);
    const row = await this.database.transaction(async (tx) => {
      if (caller) await holdAccess(tx, caller);
      const count = () => countKeys(tx, accountId);
      await requireQuota(tx, { accountId, quota: 'api_keys', limit, count });
      const added = await addKey(tx, { accountId, name, prefix: key.slice(0, 13), hash: hashOf(key) });
      await recordAudit(tx, { action: 'api_key.created', target: { type: 'api_key', id: added.id }, accountId });
      return added;
    });
    return { ...row, key };
  }

  /** The account's keys that were not revoked, oldest first. */
  list(accountId: string): Promise<KeyRow[]> {
    return listKeys(this.database, accountId);
  }

  /** Revokes a key for every replica at once. Errors: NOT_FOUND. */
  async revoke(accountId: string, keyId: string): Promise<void> {
    await this.database.transaction(async (tx) => {
      if (!(await revokeKey(tx, accountId, keyId))) throw new RoostError('NOT_FOUND', 'there is no such key');
      await recordAudit(tx, { action: 'api_key.revoked', target: { type: 'api_key', id: keyId }, accountId });
    });
    this.forgetEverywhere();
  }

  forgetEverywhere(): void {
    this.forget();
    this.bus.signal(KEYS_CHANGED);
  }

  private forget(): void {
    this.known.clear();
    this.timesForgotten += 1;
  }

  /** Makes the local account with this key, once: what a fresh machine's first curl uses. */
  async registerLocalKey(key: string): Promise<void> {
    await this.database.transaction(async (tx) => {
      const hash = hashOf(key);
      if (await isKeyKnown(tx, hash)) return;
      const accountId = await localAccount(tx);
      const { id } = await addKey(tx, { accountId, name: 'local', prefix: key.slice(0, 13), hash });
      await recordAudit(tx, { action: 'api_key.created', target: { type: 'api_key', id }, accountId });
    });
  }

  /** Writes down which keys were used, in one statement for all. */
  private async noteUse(): Promise<void> {
    if (this.used.size === 0) return;
    const hashes = [...this.used];
    this.used.clear();
    await noteKeysUsed(this.database, hashes);
  }
}

const hashOf = (key: string) => hash('sha256', key);
