import { type AgentForTurn, RoostError } from '#lib/contracts';
import type { ResolvedModel } from '../models/model-registry.js';
import type { Prices } from './prices.js';

/** No further model step may start. The work is kept: the turn goes on when the period turns or the limit is raised. */
export class BudgetExhausted extends Error {
  readonly code = 'BUDGET_EXHAUSTED';

  constructor() {
    super('a budget of the agent or its account is exhausted: it goes on when the period turns or the limit is raised');
  }
}

/** A cap that does not count something is none. */
export class PriceUnknown extends Error {
  readonly code = 'MODEL_PRICE_UNKNOWN';

  constructor(model: string) {
    super(
      `a budget in money holds, and the price of ${model} is not known: have the operator set it in ROOST_MODEL_PRICES, or set a budget in tokens`,
    );
  }
}

/** Whether no further step may start because a budget or the balance is used up. */
export const isExhausted = (error: unknown): boolean =>
  error instanceof BudgetExhausted || (error instanceof RoostError && error.code === 'BALANCE_EXHAUSTED');

/** Under a budget in money nothing runs that it could not count. Errors: PriceUnknown. */
export function requirePrice({ agent, model }: { agent: AgentForTurn; model: ResolvedModel }, prices: Prices): void {
  if (agent.budget?.needsPrice && !prices.knows(model)) throw new PriceUnknown(`${model.provider}/${model.modelId}`);
}
