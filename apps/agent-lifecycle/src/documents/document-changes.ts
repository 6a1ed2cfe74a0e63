import { LOGGER } from '#lib/bus';
import { type AppliedObject, RoostError } from '#lib/contracts';
import type { Logger } from '#lib/observability';
import { asRoostError } from '#lib/rpc';
import { Inject, Injectable } from '@nestjs/common';
import type { AgentRow } from '../agents/agent-row.js';
import { AgentsService } from '../agents/agents.service.js';
import { AgentParts, type ComparedParts } from './agent-parts.js';
import { GrantParts } from './grant-parts.js';
import { agentObject, type AgentPlan, DONE, failedBy, partObjects, partsOf, SKIPPED } from './agent-plan.js';

const NOTE = 'applied from a document';

/** Applies plans of documents. */
@Injectable()
export class DocumentChanges {
  constructor(
    private readonly agents: AgentsService,
    private readonly parts: AgentParts,
    private readonly grants: GrantParts,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** The agent first, then what belongs to it. What fails is reported; nothing is thrown. */
  async apply(accountId: string, plan: AgentPlan, prune: boolean): Promise<AppliedObject[]> {
    const { automation, webhooks, grants, document } = plan;
    const agent = await this.changed(accountId, plan).catch((error: unknown) => this.failure(error));
    if (agent instanceof RoostError)
      return [agentObject(plan, undefined, failedBy(agent)), ...partObjects(plan, partsOf(plan), SKIPPED)];
    const how = { agentId: agent.id, dryRun: false, prune };
    return [
      agentObject(plan, agent, DONE),
      ...(await this.withParts(plan, automation, (compared) =>
        this.parts.applyAutomation(document, { ...how, ...compared }),
      )),
      ...(await this.withParts(plan, webhooks, (compared) =>
        this.parts.applyWebhooks(document, { ...how, ...compared }),
      )),
      ...(await this.withParts(plan, grants, (compared) =>
        this.grants.apply(accountId, document, { ...how, ...compared }),
      )),
    ];
  }

  /** Errors: CONFLICT when somebody else has made or changed it since the plan was made. */
  private async changed(accountId: string, { creation, update, present }: AgentPlan): Promise<AgentRow> {
    if (creation) return this.agents.create(accountId, { ...creation, isOnlyOfName: true });
    if (!present) throw new Error('what is not made is there');
    if (!update) return present;
    return this.agents.update(present.id, accountId, { ...update, ifVersion: present.version, note: NOTE });
  }

  private async withParts(
    plan: AgentPlan,
    { parts, state }: ComparedParts,
    apply: (compared: { ifState: string | undefined }) => Promise<ComparedParts>,
  ): Promise<AppliedObject[]> {
    if (parts.every(({ action }) => action === 'none')) return partObjects(plan, parts, DONE);
    const applied = await apply({ ifState: state }).catch((error: unknown) => this.failure(error));
    if (applied instanceof RoostError) return partObjects(plan, parts, failedBy(applied));
    const { failures } = applied;
    return applied.parts.flatMap((part) =>
      partObjects(plan, [part], failures?.has(part.name) ? failedBy(this.failure(failures.get(part.name))) : DONE),
    );
  }

  private failure(error: unknown): RoostError {
    return asRoostError(error, (cause) => this.logger.error({ err: cause }, 'an object of a document was not applied'));
  }
}
