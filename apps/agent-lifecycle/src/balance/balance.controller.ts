import { accountOf, Bus, type CallContext, Handles } from '#lib/bus';
import {
  changeBalance as changeBalanceContract,
  debitTokens as debitTokensContract,
  WAKE_RUNTIME,
} from '#lib/contracts';
import { Database } from '#lib/database';
import { Controller } from '@nestjs/common';
import type { z } from 'zod';
import { type AgentRow, isExhausted, stateOf } from '../agents/agent-row.js';
import { syncMessagingState } from '../states/sync-messaging-state.js';
import { changeBalance } from './change-balance.js';
import { debitPlainly, debitTokens } from './debit-tokens.js';

@Controller()
export class BalanceController {
  constructor(
    private readonly database: Database,
    private readonly bus: Bus,
  ) {}

  @Handles(changeBalanceContract)
  async change({ agentId, ...change }: z.output<typeof changeBalanceContract.input>, context: CallContext) {
    const accountId = accountOf(context);
    const agent = await this.database.transaction((tx) => changeBalance(tx, { agentId, accountId }, change));
    await syncMessagingState(this.bus, stateOf(agent));
    if (!isExhausted(agent)) this.bus.signal(WAKE_RUNTIME);
    return {
      outputTokenBalance: Number(agent.output_token_balance),
      totalOutputTokensUsed: Number(agent.total_output_tokens_used),
    };
  }

  @Handles(debitTokensContract)
  async debit({ agentId, ...debit }: z.output<typeof debitTokensContract.input>, { accountId }: CallContext) {
    const key = { agentId, accountId };
    const agent: AgentRow =
      (await debitPlainly(this.database, key, debit)) ??
      (await this.database.transaction((tx) => debitTokens(tx, key, debit)));
    if (isExhausted(agent)) await syncMessagingState(this.bus, stateOf(agent));
    return { outputTokenBalance: Number(agent.output_token_balance) };
  }
}
