import { sealerFrom } from '#lib/auth';
import { CONFIG, Handles } from '#lib/bus';
import { accountOf, type CallContext } from '#lib/call-context';
import { applyAutomation, type PlannedPart } from '#lib/contracts';
import { Database } from '#lib/database';
import { AccountLimits } from '#lib/quotas';
import { Controller, Inject } from '@nestjs/common';
import type { z } from 'zod';
import { AgentsService } from '../agents/agents.service.js';
import type { SchedulerConfig } from '../config.js';
import { type AutomationPlan, planAutomation } from './plan-automation.js';
import { lockAutomation, requireQuotaFor, writeAutomation } from './write-automation.js';

/** Makes the schedules and triggers of an agent as a document says. */
@Controller()
export class DocumentsController {
  private readonly sealer;

  constructor(
    private readonly database: Database,
    private readonly agents: AgentsService,
    private readonly limits: AccountLimits,
    @Inject(CONFIG) private readonly config: SchedulerConfig,
  ) {
    this.sealer = sealerFrom(config);
  }

  @Handles(applyAutomation)
  async apply(
    input: z.output<typeof applyAutomation.input>,
    context: CallContext,
  ): Promise<z.output<typeof applyAutomation.output>> {
    const { agentId, dryRun, ...document } = input;
    const accountId = accountOf(context);
    const all = await this.limits.all(accountId);
    const limits = { schedules: all.schedules, triggers: all.triggers };
    if (agentId !== null) await this.agents.require(agentId, accountId);
    return this.database.transaction(async (tx) => {
      const owner = agentId === null ? undefined : { agentId, accountId };
      const present = owner ? await lockAutomation(tx, owner) : { schedules: [], triggers: [] };
      const plan = await planAutomation(document, present, this.config);
      await requireQuotaFor(tx, accountId, plan, limits);
      const { state } = plan;
      if (dryRun || !owner) return { parts: shown(plan), state };
      const written = await writeAutomation(tx, plan, owner, { ...this.config, ...limits, sealer: this.sealer });
      return { parts: shown(plan, written), state };
    });
  }
}

function shown({ schedules, triggers }: AutomationPlan, written: Written = new Map()): PlannedPart[] {
  return [
    ...schedules.map((part) => ({ kind: 'schedule' as const, ...part })),
    ...triggers.map((part) => ({ kind: 'trigger' as const, ...part })),
  ].map(({ fields: _, ...part }) => ({ ...part, secret: null, ...written.get(`${part.kind} ${part.name}`) }));
}

type Written = Awaited<ReturnType<typeof writeAutomation>>;
