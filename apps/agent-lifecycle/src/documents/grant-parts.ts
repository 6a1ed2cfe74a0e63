import { partsState, type Planned, planByName, requireState } from '#lib/apply-plan';
import { LOGGER } from '#lib/bus';
import { type DocumentedAgent, RoostError, type VaultGrant } from '#lib/contracts';
import { Database } from '#lib/database';
import type { Logger } from '#lib/observability';
import { Inject, Injectable } from '@nestjs/common';
import type { AgentRow } from '../agents/agent-row.js';
import { GrantsService } from '../vault/grants.service.js';
import { listGrants } from '../vault/grants.repository.js';
import { grantOf } from '../vault/vault-row.js';
import { secretsNamed } from '../vault/vault.repository.js';
import { WorkspaceUpdates } from '../workspaces/workspace-updates.js';
import type { Applied, ComparedParts } from './agent-parts.js';

interface Fields {
  envName: string | null;
  ask: boolean;
}

const kind = {
  what: 'grant',
  path: 'vault',
  defaults: { envName: null, ask: false } satisfies Fields,
  required: [],
};

/** Which secrets of the vault an agent of a document may use, by their names. */
@Injectable()
export class GrantParts {
  constructor(
    private readonly database: Database,
    private readonly grants: GrantsService,
    private readonly updates: WorkspaceUpdates,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  async of(accountId: string, agentId: string): Promise<VaultGrant[]> {
    return (await listGrants(this.database, accountId, { agentId })).map(grantOf);
  }

  /**
   * Nothing is done where the document says nothing: what agents may use is not taken away by an old file. Each grant is
   * made for itself: what keeps one from it is in `failures`. Errors, with nothing changed: VALIDATION_ERROR (there is no
   * such secret), CONFLICT (`ifState`).
   */
  async apply(accountId: string, { vault }: DocumentedAgent, how: Applied): Promise<ComparedParts> {
    if (!vault) return { parts: [] };
    const { agentId, dryRun, prune } = how;
    const ids = await this.idsOf(accountId, Object.keys(vault));
    const present = agentId === null ? [] : await this.of(accountId, agentId);
    const there = present.map(({ id, secret, envName, ask }) => ({ id, name: secret, fields: { envName, ask } }));
    const plan = planByName<Fields>(kind, there, vault, prune);
    const state = partsState(there);
    requireState(how.ifState, state, plan);
    const made = new Map<string, string>();
    const failures = new Map<string, unknown>();
    if (!dryRun && agentId !== null)
      for (const one of plan)
        await this.write(accountId, agentId, one, ids.get(one.name) ?? '').then(
          (id) => id !== undefined && made.set(one.name, id),
          (error: unknown) => failures.set(one.name, error),
        );
    const parts = plan.map(({ fields: _, differing: __, ...part }) => ({
      ...{ kind: 'grant' as const, ...part },
      id: made.get(part.name) ?? part.id,
      secret: null,
    }));
    return { parts, state, failures };
  }

  /** Returns the id of a grant that was made. */
  private async write(
    accountId: string,
    agentId: string,
    { id, action, fields, differing }: Planned<Fields>,
    secretId: string,
  ): Promise<string | undefined> {
    if (action === 'none') return undefined;
    if (action === 'update' && id !== null && !differing.includes('envName')) {
      const changed = await this.grants.change({ accountId, agentId, grantId: id }, fields);
      return void this.applied(changed.agents);
    }
    // Another variable has another placeholder: it is another grant.
    if (id !== null) this.applied((await this.grants.remove(accountId, agentId, id)).agents);
    if (action === 'delete') return undefined;
    const { result, agents } = await this.grants.create(accountId, agentId, { secretId, ...fields });
    this.applied(agents);
    return result.id;
  }

  private async idsOf(accountId: string, names: string[]): Promise<Map<string, string>> {
    const found = await secretsNamed(this.database, accountId, names);
    const ids = new Map(found.map(({ name, id }) => [name, id]));
    const missing = names.find((name) => !ids.has(name));
    if (missing === undefined) return ids;
    throw new RoostError('VALIDATION_ERROR', `vault.${missing}: the vault has no secret of this name`, [
      { field: `vault.${missing}`, reason: 'not_found' },
    ]);
  }

  private applied(agents: AgentRow[]): void {
    for (const agent of agents)
      this.updates
        .apply(agent)
        .catch((err: unknown) =>
          this.logger.warn({ agentId: agent.id, err }, 'a grant was not applied; the next round does it'),
        );
  }
}
