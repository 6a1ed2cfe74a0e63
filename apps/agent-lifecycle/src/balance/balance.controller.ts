import { Bus, Handles } from '#lib/bus';
import { accountOf, type CallContext } from '#lib/call-context';
import { changeBalance, debitTokens, WAKE_RUNTIME } from '#lib/contracts';
import { Controller } from '@nestjs/common';
import type { z } from 'zod';
import { isExhausted, stateOf } from '../agents/agent-row.js';
import { OtherServices } from '../agents/other-services.js';
import { BalanceService } from './balance.service.js';

@Controller()
export class BalanceController {
  constructor(
    private readonly balance: BalanceService,
    private readonly others: OtherServices,
    private readonly bus: Bus,
  ) {}

  @Handles(changeBalance)
  async change({ agentId, ...change }: z.output<typeof changeBalance.input>, context: CallContext) {
    const agent = await this.balance.change({ agentId, accountId: accountOf(context) }, change);
    await this.others.syncMessagingState(stateOf(agent));
    if (!isExhausted(agent)) this.bus.signal(WAKE_RUNTIME);
    return {
      outputTokenBalance: Number(agent.output_token_balance),
      totalOutputTokensUsed: Number(agent.total_output_tokens_used),
    };
  }

  @Handles(debitTokens)
  async debit({ agentId, ...debit }: z.output<typeof debitTokens.input>, { accountId }: CallContext) {
    const { agent, budget, changed } = await this.balance.debit({ agentId, accountId }, debit);
    if (isExhausted(agent)) await this.others.syncMessagingState(stateOf(agent));
    for (const row of changed) await this.others.syncBudget(row);
    return { outputTokenBalance: Number(agent.output_token_balance), budget };
  }
}
