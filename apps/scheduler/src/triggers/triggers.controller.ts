import { recordAudit } from '#lib/audit';
import { sealerFrom } from '#lib/auth';
import {
  createTrigger,
  deleteTrigger,
  getTrigger,
  listTriggerExecutions,
  listTriggers,
  paginationOf,
  rotateTriggerSecret,
  updateTrigger,
} from '#lib/contracts';
import { CONFIG, Handles } from '#lib/bus';
import { accountOf, type CallContext } from '#lib/call-context';
import { Database } from '#lib/database';
import { AccountLimits } from '#lib/quotas';
import { Controller, Inject } from '@nestjs/common';
import type { z } from 'zod';
import { AgentsService } from '../agents/agents.service.js';
import type { SchedulerConfig } from '../config.js';
import { listExecutions } from '../executions/executions.repository.js';
import {
  deleteTrigger as deleteRow,
  findTrigger,
  pageOfTriggers,
  toTrigger,
  type TriggerRow,
} from './triggers.repository.js';
import { create, rotateSecret, update } from './triggers.service.js';

type Key = z.output<typeof getTrigger.input>;

@Controller()
export class TriggersController {
  private readonly sealer;

  constructor(
    private readonly database: Database,
    private readonly agents: AgentsService,
    private readonly limits: AccountLimits,
    @Inject(CONFIG) private readonly config: SchedulerConfig,
  ) {
    this.sealer = sealerFrom(config);
  }

  @Handles(createTrigger)
  async create(input: z.output<typeof createTrigger.input>, context: CallContext) {
    const accountId = accountOf(context);
    await this.agents.require(input.agentId, accountId);
    const limit = await this.limits.of(accountId, 'triggers');
    const { row, secret } = await this.database.transaction((tx) => create(tx, input, accountId, limit, this.sealer));
    return { ...this.shown(row), webhookSecret: secret };
  }

  @Handles(listTriggers)
  async list({ agentId, page, limit }: z.output<typeof listTriggers.input>, context: CallContext) {
    const accountId = accountOf(context);
    await this.agents.require(agentId, accountId);
    const { rows, total } = await pageOfTriggers(this.database, { agentId, accountId }, { page, limit });
    return { triggers: rows.map((row) => this.shown(row)), pagination: paginationOf(page, limit, total) };
  }

  @Handles(getTrigger)
  async get(key: Key, context: CallContext) {
    return this.shown(await findTrigger(this.database, key, accountOf(context)));
  }

  @Handles(updateTrigger)
  async update(patch: z.output<typeof updateTrigger.input>, context: CallContext) {
    return this.shown(await this.database.transaction((tx) => update(tx, patch, accountOf(context))));
  }

  @Handles(rotateTriggerSecret)
  async rotate(key: Key, context: CallContext) {
    const { row, secret } = await this.database.transaction((tx) =>
      rotateSecret(tx, key, accountOf(context), this.sealer),
    );
    return { ...this.shown(row), webhookSecret: secret };
  }

  @Handles(deleteTrigger)
  async delete(key: Key, context: CallContext) {
    await this.database.transaction(async (tx) => {
      const { id } = await findTrigger(tx, key, accountOf(context), 'FOR UPDATE');
      await deleteRow(tx, id);
      await recordAudit(tx, { action: 'trigger.deleted', target: { type: 'trigger', id } });
    });
    return { message: 'trigger deleted' };
  }

  @Handles(listTriggerExecutions)
  async executions(query: z.output<typeof listTriggerExecutions.input>, context: CallContext) {
    const { id } = await findTrigger(this.database, query, accountOf(context));
    return listExecutions(this.database, { column: 'trigger_id', id }, query);
  }

  private shown(row: TriggerRow) {
    return toTrigger(row, this.config.PUBLIC_URL);
  }
}
