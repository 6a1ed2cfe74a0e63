import { Database, newId } from '#lib/database';
import { Injectable } from '@nestjs/common';
import { createHash } from 'node:crypto';

export interface KeyOwner {
  id: string;
  agentsEnabled: boolean;
}

/** How long a key that was found stays known without asking again. */
const CACHE_MS = 5_000;
const CACHE_SIZE = 10_000;

/** Platform API keys. Only a hash is stored; a key has 238 bits of chance, so a plain hash is enough. */
@Injectable()
export class ApiKeys {
  private readonly known = new Map<string, { owner: KeyOwner; until: number }>();

  constructor(private readonly database: Database) {}

  /** Whose key it is; undefined for an unknown or revoked one. */
  async accountOf(key: string): Promise<KeyOwner | undefined> {
    const hash = hashOf(key);
    const cached = this.known.get(hash);
    if (cached && cached.until > Date.now()) return cached.owner;
    const [row] = await this.database.query<{ id: string; agents_enabled: boolean }>(
      `SELECT a.id, a.agents_enabled FROM api_keys k JOIN accounts a ON a.id = k.account_id WHERE k.hash = $1 AND k.revoked_at IS NULL`,
      [hash],
    );
    if (!row) return undefined;
    const owner = { id: row.id, agentsEnabled: row.agents_enabled };
    if (this.known.size >= CACHE_SIZE) this.known.clear();
    this.known.set(hash, { owner, until: Date.now() + CACHE_MS });
    return owner;
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
}

const hashOf = (key: string) => createHash('sha256').update(key).digest('hex');
