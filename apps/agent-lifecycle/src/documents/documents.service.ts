import { Sealer } from '#lib/auth';
import type { AgentDocument, AppliedDocument, AppliedObject } from '#lib/contracts';
import { Database } from '#lib/database';
import { Injectable } from '@nestjs/common';
import type { AgentKey } from '../agents/agent-row.js';
import { openSecrets } from '../agents/agent-secrets.js';
import { findAgent } from '../agents/agents.repository.js';
import { AgentParts } from './agent-parts.js';
import { GrantParts } from './grant-parts.js';
import { actionOf, agentObject, type AgentPlan, partObjects, partsOf, PLANNED } from './agent-plan.js';
import { configuredOf } from '../versions/configured.js';
import { DocumentChanges } from './document-changes.js';
import { DocumentPlans } from './document-plans.js';
import { exportedAgent } from './export-agent.js';

/** Writes agents as documents, and makes them as documents say (docs/decisions/0046). */
@Injectable()
export class DocumentsService {
  constructor(
    private readonly database: Database,
    private readonly sealer: Sealer,
    private readonly parts: AgentParts,
    private readonly grants: GrantParts,
    private readonly plans: DocumentPlans,
    private readonly changes: DocumentChanges,
  ) {}

  /** Errors: NOT_FOUND, CONFLICT, SERVICE_UNAVAILABLE. */
  async export(key: AgentKey): Promise<AgentDocument> {
    const row = await findAgent(this.database, key);
    const [parts, grants] = await Promise.all([this.parts.of(row.id), this.grants.of(row.account_id, row.id)]);
    return exportedAgent(configuredOf(row, openSecrets(this.sealer, row)), { ...parts, grants });
  }

  /**
   * Compares everything first, which refuses what cannot be; then changes one object after the other, each agent under
   * the version that it was compared with. Errors: those of `applyAgents`, before anything is changed.
   */
  async apply(accountId: string, document: AgentDocument, dryRun: boolean): Promise<AppliedDocument> {
    const plans = await this.plans.plan(accountId, document);
    const objects: AppliedObject[] = [];
    for (const plan of plans)
      objects.push(...(dryRun ? planned(plan) : await this.changes.apply(accountId, plan, document.prune)));
    return {
      dryRun,
      differs: plans.some(differs),
      isComplete: objects.every(({ status }) => status === 'planned' || status === 'done'),
      objects,
    };
  }
}

const differs = (plan: AgentPlan): boolean =>
  actionOf(plan) !== 'none' || partsOf(plan).some(({ action }) => action !== 'none');

function planned(plan: AgentPlan): AppliedObject[] {
  return [agentObject(plan, undefined, PLANNED), ...partObjects(plan, partsOf(plan), PLANNED)];
}
