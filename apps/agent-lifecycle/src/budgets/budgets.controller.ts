import { Bus, Handles } from '#lib/bus';
import { accountOf, type CallContext } from '#lib/call-context';
import { createBudget, deleteBudget, getBudget, listBudgets, updateBudget, WAKE_RUNTIME } from '#lib/contracts';
import { Sweep } from '#lib/sweeps';
import { Controller } from '@nestjs/common';
import type { z } from 'zod';
import { OtherServices } from '../agents/other-services.js';
import type { BudgetRow } from './budget-row.js';
import { BudgetsService, type Changed } from './budgets.service.js';

type InputOf<C extends { input: z.ZodType }> = z.output<C['input']>;

@Controller()
export class BudgetsController {
  constructor(
    private readonly budgets: BudgetsService,
    private readonly others: OtherServices,
    private readonly bus: Bus,
  ) {}

  @Handles(createBudget)
  async create(budget: InputOf<typeof createBudget>, context: CallContext) {
    return this.announced(await this.budgets.create(accountOf(context), budget));
  }

  @Handles(listBudgets)
  async list({ agentId }: InputOf<typeof listBudgets>, context: CallContext) {
    return { budgets: await this.budgets.list(accountOf(context), agentId) };
  }

  @Handles(getBudget)
  get({ budgetId }: InputOf<typeof getBudget>, context: CallContext) {
    return this.budgets.get(accountOf(context), budgetId);
  }

  @Handles(updateBudget)
  async update({ budgetId, ...change }: InputOf<typeof updateBudget>, context: CallContext) {
    return this.announced(await this.budgets.change(accountOf(context), budgetId, change));
  }

  @Handles(deleteBudget)
  async remove({ budgetId }: InputOf<typeof deleteBudget>, context: CallContext) {
    await this.announced(await this.budgets.remove(accountOf(context), budgetId));
    return { id: budgetId, message: 'budget deleted' };
  }

  /** When a period turns, what waited goes on: within a few seconds. */
  @Sweep('lifecycle.budget-periods', { cron: '*/2 * * * * *', jitterMs: 500 })
  async turnPeriods(): Promise<void> {
    await this.syncMessaging(await this.budgets.turnPeriods());
  }

  private async announced({ row, budget }: Changed) {
    await this.syncMessaging([row]);
    return budget;
  }

  private async syncMessaging(rows: BudgetRow[]): Promise<void> {
    for (const row of rows) await this.others.syncBudget(row);
    if (rows.some(({ is_exhausted }) => !is_exhausted)) this.bus.signal(WAKE_RUNTIME);
  }
}
