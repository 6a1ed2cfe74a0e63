import { reachedNobody } from '#lib/rpc';
import { isDatabaseAway } from '#lib/database';
import { RoostError } from '#lib/contracts';
import { modelFailure } from '../models/model-failure.js';
import type { ResolvedModel } from '../models/model-registry.js';
import { BudgetExhausted, PriceUnknown } from '../usage/budget-exhausted.js';
import type { StopReason } from './turn-end.js';

export interface TurnFailure {
  code: string;
  message: string;
  retryable: boolean;
  /** How long the provider asks to be left alone. */
  retryAfterMs?: number;
}

/** What is reported of a turn that did not come to an answer. `model` is absent when it failed before it had one. */
export function failureOf(
  error: unknown,
  model: ResolvedModel | undefined,
  stopped: StopReason | undefined,
): TurnFailure {
  if (stopped === 'timeout')
    return {
      code: 'TURN_TIMEOUT',
      message: 'the turn took longer than the agent’s timeout_seconds',
      retryable: false,
    };
  if (error instanceof PriceUnknown || error instanceof BudgetExhausted)
    return { code: error.code, message: error.message, retryable: false };
  if (error instanceof RoostError)
    return { code: error.code, message: error.message, retryable: error.code === 'SERVICE_UNAVAILABLE' };
  if (model) return modelFailure(error, model);
  return { code: 'INTERNAL', message: 'something went wrong on our side', retryable: true };
}

/** True when it is certain that a service or its database is not running; one that answers late may have other reasons. */
export function isPlatformAway(error: unknown): boolean {
  return reachedNobody(error) || isDatabaseAway(error);
}
