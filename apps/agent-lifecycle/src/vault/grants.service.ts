import { recordAudit } from '#lib/audit';
import {
  type NewVaultGrant,
  PLACEHOLDER_PREFIX,
  RoostError,
  type VaultGrant,
  type VaultGrantChange,
  vaultGrantSettled,
} from '#lib/contracts';
import { Database, type Transaction } from '#lib/database';
import { AccountLimits, requireQuota } from '#lib/quotas';
import { Injectable } from '@nestjs/common';
import { randomInt } from 'node:crypto';
import { findAgent, lockAgent } from '../agents/agents.repository.js';
import {
  countGrants,
  deleteGrantRow,
  type GrantKey,
  grantsWithSecrets,
  insertGrant,
  listGrants,
  setMode,
  touchAgent,
} from './grants.repository.js';
import { publishGrant, publishRevoked } from './grant-events.js';
import { requireDistinct } from './overlaps.js';
import { grantOf } from './vault-row.js';
import { findSecret } from './vault.repository.js';
import { type Changed, lockVault } from './vault.service.js';

/** All of an agent go to the egress process in one message, and their variables into its sandbox. */
const MAX_OF_AGENT = 50;
/** What commands find their way, their user and the proxy by, and what programs load into themselves. */
const OF_THE_SANDBOX =
  /^(PATH|HOME|USER|SHELL|PWD|TMPDIR|TERM|TRACEPARENT|(HTTPS?|ALL|NO)_PROXY|LD_.*|NODE_OPTIONS|ROOST_.*|SSL_CERT_(FILE|DIR)|NODE_EXTRA_CA_CERTS|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE|GIT_SSL_CAINFO|CARGO_HTTP_CAINFO|AWS_CA_BUNDLE|PIP_CERT|JAVA_TOOL_OPTIONS)$/;

/** Which agents may use which secrets. */
@Injectable()
export class GrantsService {
  constructor(
    private readonly database: Database,
    private readonly limits: AccountLimits,
  ) {}

  /** Errors: NOT_FOUND (agent or secret), VALIDATION_ERROR, CONFLICT, QUOTA_EXCEEDED. */
  async create(
    accountId: string,
    agentId: string,
    { secretId, envName, ask }: NewVaultGrant,
  ): Promise<Changed<VaultGrant>> {
    if (envName !== null && OF_THE_SANDBOX.test(envName))
      throw new RoostError('VALIDATION_ERROR', `env_name: ${envName} belongs to the sandbox itself`, [
        { field: 'env_name', reason: 'reserved' },
      ]);
    const limit = await this.limits.of(accountId, 'vault_grants');
    return this.database.transaction(async (tx) => {
      await lockVault(tx, accountId);
      await lockAgent(tx, { agentId, accountId });
      const { name } = await findSecret(tx, accountId, secretId);
      const before = await grantsWithSecrets(tx, agentId);
      if (before.some((grant) => grant.secret_id === secretId))
        throw conflict(`the agent may use the secret "${name}" already`, 'granted');
      if (envName !== null && before.some((grant) => grant.env_name === envName))
        throw conflict(`another secret of the agent is in the variable ${envName}`, 'env_name_taken');
      if (before.length >= MAX_OF_AGENT) throw conflict(`an agent may use at most ${MAX_OF_AGENT} secrets`, 'too_many');
      await requireQuota(tx, { accountId, quota: 'vault_grants', limit, count: () => countGrants(tx, accountId) });
      const row = await insertGrant(tx, {
        ...{ account_id: accountId, secret_id: secretId, agent_id: agentId, env_name: envName },
        placeholder: envName === null ? null : newPlaceholder(),
        mode: ask ? 'ask' : 'always',
      });
      requireDistinct(await grantsWithSecrets(tx, agentId));
      const agent = await touchAgent(tx, agentId);
      await recordAudit(tx, {
        action: 'vault_grant.created',
        target: { type: 'vault_grant', id: row.id },
        fields: [`secret:${name}`, `agent:${agentId}`, ...(ask ? ['ask'] : [])],
      });
      await publishGrant(tx, 'created', row);
      return { result: grantOf(row), agents: agent ? [agent] : [] };
    });
  }

  /** Errors: NOT_FOUND (agent). */
  async list(accountId: string, agentId: string) {
    await findAgent(this.database, { agentId, accountId });
    return { grants: (await listGrants(this.database, accountId, { agentId })).map(grantOf) };
  }

  /** Errors: NOT_FOUND (agent or grant). */
  change(key: GrantKey, { ask }: VaultGrantChange): Promise<Changed<VaultGrant>> {
    return this.database.transaction((tx) => this.setAsk(tx, key, ask));
  }

  /** In a transaction that began elsewhere. Errors: NOT_FOUND (agent or grant). */
  async setAsk(tx: Transaction, key: GrantKey, ask: boolean): Promise<Changed<VaultGrant>> {
    const { accountId, agentId, grantId } = key;
    await lockVault(tx, accountId);
    await lockAgent(tx, { agentId, accountId });
    const set = await setMode(tx, key, ask ? 'ask' : 'always');
    if (!set) throw noGrant();
    if (!set.hasChanged) return { result: grantOf(set.row), agents: [] };
    const agent = await touchAgent(tx, agentId);
    if (!ask) await tx.outbox(vaultGrantSettled, key, agentId);
    await recordAudit(tx, {
      action: 'vault_grant.updated',
      target: { type: 'vault_grant', id: grantId },
      fields: ['ask'],
    });
    await publishGrant(tx, 'updated', set.row);
    return { result: grantOf(set.row), agents: agent ? [agent] : [] };
  }

  /** Errors: NOT_FOUND (agent or grant). */
  remove(accountId: string, agentId: string, grantId: string): Promise<Changed<undefined>> {
    return this.database.transaction(async (tx) => {
      await lockVault(tx, accountId);
      await lockAgent(tx, { agentId, accountId });
      const grant = (await listGrants(tx, accountId, { agentId })).find(({ id }) => id === grantId);
      if (!grant) throw noGrant();
      await publishRevoked(tx, grant);
      await deleteGrantRow(tx, accountId, agentId, grantId);
      const agent = await touchAgent(tx, agentId);
      await recordAudit(tx, { action: 'vault_grant.deleted', target: { type: 'vault_grant', id: grantId } });
      return { result: undefined, agents: agent ? [agent] : [] };
    });
  }
}

const noGrant = () => new RoostError('NOT_FOUND', 'the agent has no such grant');
const conflict = (message: string, reason: string) => new RoostError('CONFLICT', message, [{ reason }]);

const CHARACTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const newPlaceholder = () =>
  PLACEHOLDER_PREFIX + Array.from({ length: 32 }, () => CHARACTERS[randomInt(CHARACTERS.length)]).join('');
