import { type Core, dataOf, idOf } from '../core.js';
import {
  budgetsCreate,
  budgetsGet,
  budgetsList,
  budgetsRemove,
  budgetsUpdate,
  usageReport,
} from '../generated/sdk.gen.js';
import type {
  BudgetsCreateData,
  BudgetsGetResponses,
  BudgetsUpdateData,
  UsageReportData,
} from '../generated/types.gen.js';
import type { CallOptions } from '../transport/transport.js';

export type UsageQuery = Omit<NonNullable<UsageReportData['query']>, 'format'>;
export type Budget = BudgetsGetResponses[200];
export type NewBudget = BudgetsCreateData['body'];
export type BudgetChange = BudgetsUpdateData['body'];

/** What model steps have used and cost, and caps of it. */
export class Usage {
  readonly budgets: Budgets;

  constructor(private readonly core: Core) {
    this.budgets = new Budgets(core);
  }

  /** By day, agent, model or source; of the last 30 days if nothing else is said. */
  report(query: UsageQuery = {}, options?: CallOptions) {
    return dataOf(usageReport({ ...this.core.by(options), query: { ...query, format: 'json' } }));
  }
}

export class Budgets {
  constructor(private readonly core: Core) {}

  /** Of an agent, or of all agents of the account together: tokens or money per day or month. */
  create(budget: NewBudget, options?: CallOptions): Promise<Budget> {
    return dataOf(budgetsCreate({ ...this.core.by(options), body: budget }));
  }

  /** All, or those that hold for an agent. */
  async list(agentId?: string, options?: CallOptions): Promise<Budget[]> {
    const query = agentId === undefined ? {} : { agent_id: agentId };
    return (await dataOf(budgetsList({ ...this.core.by(options), query }))).budgets;
  }

  get(id: string, options?: CallOptions): Promise<Budget> {
    return dataOf(budgetsGet(this.call(id, options)));
  }

  /** Messages that wait go on at once when the limit is raised. */
  update(id: string, change: BudgetChange, options?: CallOptions): Promise<Budget> {
    return dataOf(budgetsUpdate({ ...this.call(id, options), body: change }));
  }

  async delete(id: string, options?: CallOptions): Promise<void> {
    await dataOf(budgetsRemove(this.call(id, options)));
  }

  private call(id: string, options: CallOptions | undefined) {
    return { ...this.core.by(options), path: { id: idOf(id, 'a budget') } };
  }
}
