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
