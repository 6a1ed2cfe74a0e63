import { fieldsWithin, groupedBy, onlyOne } from '#lib/apply-plan';
import { Sealer } from '#lib/auth';
import { type AgentDocument, type DocumentedAgent, RoostError } from '#lib/contracts';
import { Database } from '#lib/database';
import { Injectable } from '@nestjs/common';
import { AgentChecks } from '../agents/agent-checks.js';
import type { AgentRow } from '../agents/agent-row.js';
import { openSecrets } from '../agents/agent-secrets.js';
import { findNamed } from '../agents/agents.repository.js';
import { AgentParts } from './agent-parts.js';
import { GrantParts } from './grant-parts.js';
import { type AgentPlan, planAgent } from './agent-plan.js';

/** Agents that are compared at once: each asks its provider and two services. */
const AT_ONCE = 8;

/** Compares documents with what there is. Changes nothing. */
@Injectable()
export class DocumentPlans {
  constructor(
    private readonly database: Database,
    private readonly sealer: Sealer,
    private readonly checks: AgentChecks,
    private readonly parts: AgentParts,
    private readonly grants: GrantParts,
  ) {}

  /** In the order of the document. Errors: those of `applyAgents`. */
  async plan(accountId: string, { agents, prune }: AgentDocument): Promise<AgentPlan[]> {
    const entries = Object.entries(agents);
    const found = await findNamed(this.database, accountId, {
      names: entries.map(([name]) => name),
      ids: entries.flatMap(([, { id }]) => id ?? []),
    });
    const plans: AgentPlan[] = [];
    for (let from = 0; from < entries.length; from += AT_ONCE) {
      const some = entries.slice(from, from + AT_ONCE).map(([name, document]) =>
        fieldsWithin(`agents.${name}`, () => {
          const row = chosen(found, name, document);
          const present = row && { row, secrets: openSecrets(this.sealer, row) };
          return this.withParts(accountId, planAgent(name, document, present, prune), prune);
        }),
      );
      plans.push(...(await Promise.all(some)));
    }
    requireDistinct(plans);
    await this.checks.checkQuotas(accountId, plans);
    return plans;
  }

  /** With what the other services make of it. */
  private async withParts(accountId: string, plan: AgentPlan, prune: boolean): Promise<AgentPlan> {
    const { creation, update, present } = plan;
    if (creation) await this.checks.checkNew(creation);
    else if (update && present) await this.checks.checkUpdate({ agentId: present.id, accountId }, update);
    const how = { agentId: present?.id ?? null, dryRun: true, prune };
    const [automation, webhooks, grants] = await Promise.all([
      this.parts.applyAutomation(plan.document, how),
      this.parts.applyWebhooks(plan.document, how),
      this.grants.apply(accountId, plan.document, how),
    ]);
    return { ...plan, automation, webhooks, grants };
  }
}

/** Errors: CONFLICT where several have the name, NOT_FOUND of an id that is no agent's. */
function chosen(found: AgentRow[], name: string, { id }: DocumentedAgent): AgentRow | undefined {
  const isMeant = (row: AgentRow) => (id === undefined ? row.name === name : row.id === id);
  const row = onlyOne({ what: 'agent', remedy: 'choose one by `id`' }, name, found.filter(isMeant));
  if (!row && id !== undefined)
    throw new RoostError('NOT_FOUND', 'id: there is no such agent', [{ field: 'id', reason: 'not_found' }]);
  return row;
}

/** Errors: VALIDATION_ERROR where two entries mean one agent, by its name and by its id. */
function requireDistinct(plans: AgentPlan[]): void {
  for (const [id, same] of groupedBy(plans, ({ present }) => present?.id)) {
    if (id === undefined || same.length < 2) continue;
    const names = same.map(({ name }) => `"${name}"`).join(' and ');
    throw new RoostError('VALIDATION_ERROR', `agents: ${names} mean one agent, ${id}`, [
      { field: 'agents', reason: 'same_agent', id },
    ]);
  }
}
