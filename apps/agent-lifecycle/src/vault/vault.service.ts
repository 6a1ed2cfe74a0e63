import { givenFields, recordAudit } from '#lib/audit';
import { CONFIG } from '#lib/bus';
import {
  type NewVaultSecret,
  paginationOf,
  type VaultCredential,
  type VaultSecret,
  type VaultSecretChange,
  vaultSecretChanged,
} from '#lib/contracts';
import { Database, type Transaction } from '#lib/database';
import { policyOf } from '#lib/net-guard';
import { AccountLimits, lockQuota, requireQuota } from '#lib/quotas';
import { Inject, Injectable } from '@nestjs/common';
import type { z } from 'zod';
import type { AgentRow } from '../agents/agent-row.js';
import type { LifecycleConfig } from '../config.js';
import { publishRevoked } from './grant-events.js';
import { checkCredential, usualPlacements } from './check-credential.js';
import { grantsWithSecrets, listGrants } from './grants.repository.js';
import { requireDistinct } from './overlaps.js';
import { VaultValues } from './vault-values.js';
import { grantOf, type SecretRow, secretOf, settingsOf } from './vault-row.js';
import {
  countSecrets,
  deleteSecretRow,
  findSecret,
  insertSecret,
  pageOfSecrets,
  touchAgentsOf,
  writeSecret,
} from './vault.repository.js';
import { whereOf } from './where-it-goes.js';

/** A change, and the agents for which it counts. */
export interface Changed<T> {
  result: T;
  agents: AgentRow[];
}

/**
 * The secrets of accounts. Values go in and are not given out again but to the egress process and to agent-runtime.
 * All changes of an account's vault happen one after the other, so that what is compared before a change is so after it.
 */
@Injectable()
export class VaultService {
  constructor(
    private readonly database: Database,
    private readonly values: VaultValues,
    private readonly limits: AccountLimits,
    @Inject(CONFIG) private readonly config: LifecycleConfig,
  ) {}

  /** Errors: VALIDATION_ERROR, ALREADY_EXISTS, QUOTA_EXCEEDED. */
  async create(accountId: string, input: NewVaultSecret): Promise<VaultSecret> {
    const { credential, name } = input;
    const where = whereOf(input);
    await this.check(credential);
    const limit = await this.limits.of(accountId, 'vault_secrets');
    return this.database.transaction(async (tx) => {
      const count = () => countSecrets(tx, accountId);
      await requireQuota(tx, { accountId, quota: 'vault_secrets', limit, count });
      const columns = {
        ...{ description: input.description, kind: credential.kind, settings: settingsOf(credential) },
        ...{ hosts: where.hosts, methods: where.methods, path_prefixes: where.pathPrefixes },
        placements: input.placements ?? usualPlacements(credential),
      };
      const row = await insertSecret(tx, accountId, name, columns, (id) => this.values.seal(id, credential));
      return noted(tx, 'created', row);
    });
  }

  async list(accountId: string, page: { page: number; limit: number }) {
    const { rows, total } = await pageOfSecrets(this.database, accountId, page);
    return { secrets: rows.map(secretOf), pagination: paginationOf(page.page, page.limit, total) };
  }

  /** Errors: NOT_FOUND. */
  async get(accountId: string, secretId: string): Promise<VaultSecret> {
    return secretOf(await findSecret(this.database, accountId, secretId));
  }

  /** Errors: NOT_FOUND. */
  async grants(accountId: string, secretId: string) {
    await findSecret(this.database, accountId, secretId);
    return { grants: (await listGrants(this.database, accountId, { secretId })).map(grantOf) };
  }

  /** Errors: NOT_FOUND, VALIDATION_ERROR, CONFLICT (for an agent it would be put where another secret is). */
  async change(accountId: string, secretId: string, change: VaultSecretChange): Promise<Changed<VaultSecret>> {
    const { credential } = change;
    if (credential) await this.check(credential);
    return this.database.transaction(async (tx) => {
      await lockVault(tx, accountId);
      const agents = await touchAgentsOf(tx, secretId);
      const before = await findSecret(tx, accountId, secretId, 'FOR UPDATE');
      const where = whereOf({
        hosts: change.hosts ?? before.hosts,
        methods: change.methods === undefined ? before.methods : change.methods,
        pathPrefixes: change.pathPrefixes === undefined ? before.path_prefixes : change.pathPrefixes,
      });
      const columns = {
        description: change.description === undefined ? before.description : change.description,
        kind: credential?.kind ?? before.kind,
        settings: credential ? settingsOf(credential) : before.settings,
        hosts: where.hosts,
        methods: where.methods,
        path_prefixes: where.pathPrefixes,
        placements: change.placements ?? before.placements,
      };
      const row = await writeSecret(tx, before, columns, credential && this.values.seal(secretId, credential));
      for (const { id } of agents) requireDistinct(await grantsWithSecrets(tx, id));
      return { result: await noted(tx, credential ? 'rotated' : 'updated', row, givenFields(change)), agents };
    });
  }

  /** With its grants. Errors: NOT_FOUND. */
  remove(accountId: string, secretId: string): Promise<Changed<undefined>> {
    return this.database.transaction(async (tx) => {
      await lockVault(tx, accountId);
      const row = await findSecret(tx, accountId, secretId);
      const agents = await touchAgentsOf(tx, secretId);
      for (const grant of await listGrants(tx, accountId, { secretId })) await publishRevoked(tx, grant);
      await deleteSecretRow(tx, accountId, secretId);
      await noted(tx, 'deleted', row);
      return { result: undefined, agents };
    });
  }

  private check(credential: VaultCredential): Promise<void> {
    return checkCredential(credential, policyOf(this.config.ROOST_VAULT_NETWORK));
  }
}

/** Until the transaction ends nothing else of the account's vault changes. */
export const lockVault = (tx: Transaction, accountId: string) => lockQuota(tx, 'vault_secrets', accountId);

type Change = z.output<typeof vaultSecretChanged.payload>['change'];

/** Writes in the audit what was done, and publishes it. */
async function noted(tx: Transaction, change: Change, row: SecretRow, fields?: string[]): Promise<VaultSecret> {
  const secret = secretOf(row);
  await recordAudit(tx, {
    action: `vault_secret.${change}`,
    target: { type: 'vault_secret', id: row.id },
    ...(fields ? { fields } : {}),
  });
  await tx.outbox(vaultSecretChanged, { accountId: row.account_id, change, secret, occurredAt: new Date() }, row.id);
  return secret;
}
