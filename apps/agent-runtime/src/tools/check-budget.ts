import { type Budget, getAgentForTurn, listBudgets, usdText } from '#lib/contracts';
import { tool, zodSchema } from 'ai';
import { z } from 'zod';
import type { ToolContext } from './tool-context.js';
import { toolCall } from './workspace-request.js';

const Nothing = zodSchema(z.object({}));

/** Shows what the agent may still use, so that it can decide what is worth doing. */
export function checkBudgetTool(context: ToolContext) {
  const { bus, agentId } = context;
  return tool({
    description:
      'Show what you may still use: your balance of output tokens and the budgets that hold for you, with what is used of each and when it begins anew. Look before long or costly work.',
    inputSchema: Nothing,
    execute: async () => {
      const [agent, { budgets }] = await Promise.all([
        bus.request(getAgentForTurn, { agentId }, toolCall(context, getAgentForTurn.timeoutMs)),
        bus.request(listBudgets, { agentId }, toolCall(context, listBudgets.timeoutMs)),
      ]);
      const lines = budgets.length > 0 ? budgets.map(lineOf) : ['No budget.'];
      return [`Balance: ${agent.outputTokenBalance} output tokens.`, ...lines].join('\n');
    },
  });
}

function lineOf(budget: Budget): string {
  const whose = budget.agentId === null ? 'Of all agents of your account' : 'Yours';
  const left = budget.isExhausted ? 'exhausted' : leftOf(budget);
  return `${whose}, per ${budget.period} (${budget.timezone}): ${left}; begins anew ${budget.periodEndsAt.toISOString()}`;
}

function leftOf({ limitTokens, usedTokens, limitUsd, usedUsd }: Budget): string {
  if (limitTokens !== null)
    return `${usedTokens} of ${limitTokens} tokens used, ${limitTokens - (usedTokens ?? 0)} left`;
  const [limit, used] = [limitUsd ?? 0n, usedUsd ?? 0n];
  return `$${usdText(used)} of $${usdText(limit)} used, $${usdText(limit - used)} left`;
}
