import { recordAudit } from '#lib/audit';
import {
  createSchedule,
  deleteSchedule,
  getSchedule,
  listNextRuns,
  listScheduleExecutions,
  listSchedules,
  paginationOf,
  runSchedule,
  toggleSchedule,
  updateSchedule,
} from '#lib/contracts';
import { CONFIG, Handles } from '#lib/bus';
import { accountOf, type CallContext } from '#lib/call-context';
import { Database } from '#lib/database';
import { AccountLimits } from '#lib/quotas';
import { Controller, Inject } from '@nestjs/common';
import type { z } from 'zod';
import { AgentsService } from '../agents/agents.service.js';
import type { SchedulerConfig } from '../config.js';
import { listExecutions, toExecution } from '../executions/executions.repository.js';
import { FiringWorker } from '../firing/firing-worker.js';
import { runNow } from '../firing/firing.service.js';
import { deleteSchedule as deleteRow, findSchedule, pageOfSchedules, toSchedule } from './schedules.repository.js';
import { create, nextRuns, update } from './schedules.service.js';

type Key = z.output<typeof getSchedule.input>;

@Controller()
export class SchedulesController {
  constructor(
    private readonly database: Database,
    private readonly agents: AgentsService,
    private readonly firing: FiringWorker,
    private readonly limits: AccountLimits,
    @Inject(CONFIG) private readonly config: SchedulerConfig,
  ) {}

  @Handles(createSchedule)
  async create(input: z.output<typeof createSchedule.input>, context: CallContext) {
    const accountId = accountOf(context);
    await this.agents.require(input.agentId, accountId);
    const limits = { ...this.config, schedules: await this.limits.of(accountId, 'schedules') };
    return this.database.transaction((tx) => create(tx, input, accountId, limits));
  }

  @Handles(listSchedules)
  async list({ agentId, page, limit }: z.output<typeof listSchedules.input>, context: CallContext) {
    const accountId = accountOf(context);
    await this.agents.require(agentId, accountId);
    const { rows, total } = await pageOfSchedules(this.database, { agentId, accountId }, { page, limit });
    return { schedules: rows.map(toSchedule), pagination: paginationOf(page, limit, total) };
  }

  @Handles(listNextRuns)
  async nextRuns({ agentId, ...plan }: z.output<typeof listNextRuns.input>, context: CallContext) {
    await this.agents.require(agentId, accountOf(context));
    return { nextRuns: nextRuns(plan, this.config) };
  }

  @Handles(getSchedule)
  async get(key: Key, context: CallContext) {
    return toSchedule(await findSchedule(this.database, key, accountOf(context)));
  }

  @Handles(updateSchedule)
  async update(patch: z.output<typeof updateSchedule.input>, context: CallContext) {
    return this.database.transaction((tx) => update(tx, patch, accountOf(context), this.config));
  }

  @Handles(toggleSchedule)
  async toggle({ enabled, ...key }: z.output<typeof toggleSchedule.input>, context: CallContext) {
    const accountId = accountOf(context);
    return this.database.transaction(async (tx) => {
      const row = await findSchedule(tx, key, accountId, 'FOR UPDATE');
      return update(tx, { ...key, enabled: enabled ?? !row.enabled }, accountId, this.config);
    });
  }

  @Handles(deleteSchedule)
  async delete(key: Key, context: CallContext) {
    const accountId = accountOf(context);
    await this.database.transaction(async (tx) => {
      const row = await findSchedule(tx, key, accountId, 'FOR UPDATE');
      await deleteRow(tx, row.id);
      await recordAudit(tx, { action: 'schedule.deleted', target: { type: 'schedule', id: row.id } });
    });
    return { message: 'schedule deleted' };
  }

  @Handles(runSchedule)
  async run(key: Key, context: CallContext) {
    const accountId = accountOf(context);
    const execution = await this.database.transaction(async (tx) => {
      const row = await findSchedule(tx, key, accountId, 'FOR UPDATE');
      await recordAudit(tx, { action: 'schedule.run', target: { type: 'schedule', id: row.id } });
      return runNow(tx, row, new Date());
    });
    this.firing.hurry();
    return toExecution(execution);
  }

  @Handles(listScheduleExecutions)
  async executions(query: z.output<typeof listScheduleExecutions.input>, context: CallContext) {
    const { id } = await findSchedule(this.database, query, accountOf(context));
    return listExecutions(this.database, { column: 'schedule_id', id }, query);
  }
}
