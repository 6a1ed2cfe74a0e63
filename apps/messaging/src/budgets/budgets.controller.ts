import { Bus, Consumes, Handles } from '#lib/bus';
import { type BudgetBlock, budgetExhausted, budgetReset, syncBudget, WAKE_RUNTIME } from '#lib/contracts';
import { Database, type Transaction } from '#lib/database';
import { Controller } from '@nestjs/common';
import type { z } from 'zod';
import { recordBlock } from './budgets.repository.js';

type Payload = z.output<typeof budgetExhausted.payload>;

/** Exhausted budgets, which keep agents from beginning turns. */
@Controller()
export class BudgetsController {
  constructor(
    private readonly database: Database,
    private readonly bus: Bus,
  ) {}

  @Handles(syncBudget)
  async sync(block: BudgetBlock) {
    await this.database.transaction((tx) => this.record(tx, block));
    return { accepted: true };
  }

  @Consumes(budgetExhausted)
  async onExhausted(payload: Payload, tx: Transaction) {
    await this.record(tx, blockOf(payload, true));
  }

  @Consumes(budgetReset)
  async onReset(payload: Payload, tx: Transaction) {
    await this.record(tx, blockOf(payload, false));
  }

  private async record(tx: Transaction, block: BudgetBlock): Promise<void> {
    const canBeClaimed = await recordBlock(tx, block);
    if (canBeClaimed) tx.afterCommit(() => this.bus.signal(WAKE_RUNTIME));
  }
}

const blockOf = ({ accountId, budget, revision }: Payload, isExhausted: boolean): BudgetBlock => ({
  budgetId: budget.id,
  accountId,
  agentId: budget.agentId,
  isExhausted,
  until: budget.periodEndsAt,
  revision,
});
