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
import { Bus, CONFIG, Handles } from '#lib/bus';
import { accountOf, type CallContext } from '#lib/call-context';
import { Database } from '#lib/database';
import { AccountLimits } from '#lib/quotas';
import { Controller, Inject } from '@nestjs/common';
import type { z } from 'zod';
import { requireAgent } from '../agents/known-agent.js';
import type { SchedulerConfig } from '../config.js';
import { listExecutions } from '../executions/list-executions.js';
import { createOne, findTrigger, rotateSecret, updateOne } from './save-trigger.js';
import { toTrigger, type TriggerRow } from './trigger-row.js';

type Key = z.output<typeof getTrigger.input>;

@Controller()
export class TriggersHandlers {
  private readonly sealer;

  constructor(
    private readonly database: Database,
    private readonly bus: Bus,
    private readonly limits: AccountLimits,
    @Inject(CONFIG) private readonly config: SchedulerConfig,
  ) {
    this.sealer = sealerFrom(config);
  }

  @Handles(createTrigger)
  async create(input: z.output<typeof createTrigger.input>, context: CallContext) {
    const accountId = accountOf(context);
    await requireAgent(this.database, this.bus, input.agentId, accountId);
    const limit = await this.limits.of(accountId, 'triggers');
    const { row, secret } = await this.database.transaction((tx) =>
      createOne(tx, input, accountId, limit, this.sealer),
    );
    return { ...this.shown(row), webhookSecret: secret };
  }

  @Handles(listTriggers)
  async list({ agentId, page, limit }: z.output<typeof listTriggers.input>, context: CallContext) {
    const accountId = accountOf(context);
    await requireAgent(this.database, this.bus, agentId, accountId);
    const [rows, [count]] = await Promise.all([
      this.database.query<TriggerRow>(
        `SELECT * FROM triggers WHERE agent_id = $1 AND account_id = $2 ORDER BY id LIMIT $3 OFFSET $4`,
        [agentId, accountId, limit, (Number(page) - 1) * Number(limit)],
      ),
      this.database.query<{ n: number }>(
        `SELECT count(*)::int AS n FROM triggers WHERE agent_id = $1 AND account_id = $2`,
        [agentId, accountId],
      ),
    ]);
    return { triggers: rows.map((row) => this.shown(row)), pagination: paginationOf(page, limit, count?.n ?? 0) };
  }

  @Handles(getTrigger)
  async get(key: Key, context: CallContext) {
    return this.shown(await findTrigger(this.database, key, accountOf(context)));
  }

  @Handles(updateTrigger)
  async update(patch: z.output<typeof updateTrigger.input>, context: CallContext) {
    return this.shown(await this.database.transaction((tx) => updateOne(tx, patch, accountOf(context))));
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
      await tx.query(`DELETE FROM triggers WHERE id = $1`, [id]);
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
