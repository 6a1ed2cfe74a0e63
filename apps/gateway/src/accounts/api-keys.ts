import { Bus } from '#lib/bus';
import { RoostError } from '#lib/contracts';
import { Database, newId } from '#lib/database';
import { countRows, requireQuota } from '#lib/quotas';
import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { hash, randomInt } from 'node:crypto';
import { AccountQuotas, KEYS_THAT_COUNT } from './quotas/account-quotas.js';

export interface KeyOwner {
  /** The account's. */
  id: string;
  /** Of the key. */
  hash: string;
  agentsEnabled: boolean;
}

export interface KeyRow {
  id: string;
  name: string;
  prefix: string;
  createdAt: Date;
  lastUsedAt: Date | null;
}

/** How long a key that was found stays known without asking again, should a revocation's signal be lost. */
const CACHE_MS = 1_500;
const CACHE_SIZE = 10_000;
const NOTE_USE_EVERY_MS = 10_000;
const KEY = /^roost_sk_[0-9A-Za-z]{40}$/;
const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const COLUMNS = `id, name, prefix, created_at AS "createdAt", last_used_at AS "lastUsedAt"`;

/** Sent when keys or accounts changed: every gateway forgets what it knows, so that the change holds at once. */
export const KEYS_CHANGED = 'gateway.keys.changed';

/** Platform API keys. Only a hash is stored; a key has 238 bits of chance, so a plain hash is enough. */
@Injectable()
export class ApiKeys implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly known = new Map<string, { owner: KeyOwner; until: number }>();
  private readonly used = new Set<string>();
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly database: Database,
    private readonly bus: Bus,
    private readonly quotas: AccountQuotas,
  ) {}

  onApplicationBootstrap(): void {
    this.bus.connection.subscribe(KEYS_CHANGED, { callback: () => this.known.clear() });
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
    if (cached && cached.until > Date.now()) {
      this.used.add(hash);
      return cached.owner;
    }
    const [row] = await this.database.query<{ id: string; agents_enabled: boolean }>(
      `SELECT a.id, a.agents_enabled FROM api_keys k JOIN accounts a ON a.id = k.account_id WHERE k.hash = $1 AND k.revoked_at IS NULL`,
      [hash],
    );
    if (!row) return undefined;
    const owner = { id: row.id, hash, agentsEnabled: row.agents_enabled };
    if (this.known.size >= CACHE_SIZE) this.known.clear();
    this.known.set(hash, { owner, until: Date.now() + CACHE_MS });
    this.used.add(hash);
    return owner;
  }

  /** A new key of the account; `key` is told this once. Errors: QUOTA_EXCEEDED. */
  async create(accountId: string, name: string): Promise<KeyRow & { key: string }> {
    const key = `roost_sk_${Array.from({ length: 40 }, () => DIGITS[randomInt(DIGITS.length)]).join('')}`;
    const { api_keys: limit } = await this.quotas.limitsOf(accountId);
    const [row] = await this.database.transaction(async (tx) => {
      const count = () => countRows(tx, 'api_keys', accountId, KEYS_THAT_COUNT);
      await requireQuota(tx, { accountId, quota: 'api_keys', limit, count });
      return tx.query<KeyRow>(
        `INSERT INTO api_keys (id, account_id, name, prefix, hash) VALUES ($1, $2, $3, $4, $5) RETURNING ${COLUMNS}`,
        [newId(), accountId, name, key.slice(0, 13), hashOf(key)],
      );
    });
    if (!row) throw new Error('the new key was not stored');
    return { ...row, key };
  }

  /** The account's keys that were not revoked, oldest first. */
  list(accountId: string): Promise<KeyRow[]> {
    return this.database.query<KeyRow>(
      `SELECT ${COLUMNS} FROM api_keys WHERE account_id = $1 AND revoked_at IS NULL ORDER BY created_at, id LIMIT 1000`,
      [accountId],
    );
  }

  /** Revokes a key for every replica at once. Errors: NOT_FOUND. */
  async revoke(accountId: string, keyId: string): Promise<void> {
    const revoked = await this.database.query(
      `UPDATE api_keys SET revoked_at = now() WHERE id = $1 AND account_id = $2 AND revoked_at IS NULL RETURNING id`,
      [keyId, accountId],
    );
    if (revoked.length === 0) throw new RoostError('NOT_FOUND', 'there is no such key');
    this.forgetEverywhere();
  }

  forgetEverywhere(): void {
    this.known.clear();
    this.bus.signal(KEYS_CHANGED);
  }

  /** Makes the local account with this key, once: what a fresh machine's first curl uses. */
  async registerLocalKey(key: string): Promise<void> {
    await this.database.transaction(async (tx) => {
      const [existing] = await tx.query(`SELECT 1 FROM api_keys WHERE hash = $1`, [hashOf(key)]);
      if (existing) return;
      const [account] = await tx.query<{ id: string }>(
        `INSERT INTO accounts (id, name, agents_enabled) VALUES ($1, 'local', true) ON CONFLICT (name) DO UPDATE SET name = 'local' RETURNING id`,
        [newId()],
      );
      await tx.query(`INSERT INTO api_keys (id, account_id, name, prefix, hash) VALUES ($1, $2, 'local', $3, $4)`, [
        newId(),
        account?.id,
        key.slice(0, 13),
        hashOf(key),
      ]);
    });
  }

  /** Writes down which keys were used, in one statement for all. */
  private async noteUse(): Promise<void> {
    if (this.used.size === 0) return;
    const hashes = [...this.used];
    this.used.clear();
    await this.database.query(`UPDATE api_keys SET last_used_at = now() WHERE hash = ANY($1)`, [hashes]);
  }
}

const hashOf = (key: string) => hash('sha256', key);
