import { type ClaimedTurn, debitTokens, RoostError, type Usage } from '#lib/contracts';
import { ownCall } from '#lib/call-context';
import type { LanguageModelUsage } from 'ai';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Bus } from '#lib/bus';
import { estimateTokens } from '../models/tokens.js';

/** What a model puts out; a step's content holds the tools' results as well. */
const OUTPUT = new Set(['text', 'reasoning', 'tool-call']);

/** Counts what a turn uses and debits each model step. A repeated debit of one step counts once. */
export class StepMeter {
  readonly usage: Usage = { inputTokens: 0, outputTokens: 0, cachedInputTokens: 0 };
  /** Input tokens of the latest step: how large the context has become. */
  contextTokens = 0;
  private steps = 0;
  private lastDebit: Promise<number> = Promise.resolve(Number.POSITIVE_INFINITY);

  constructor(
    private readonly bus: Bus,
    private readonly turn: ClaimedTurn,
  ) {}

  /**
   * Starts the debit of a step without waiting for it: `balance()` does. Some compatible servers count nothing;
   * what came out is then guessed, so that a balance still ends.
   */
  step(used: LanguageModelUsage, content: { type: string }[]): void {
    const output = content.filter(({ type }) => OUTPUT.has(type));
    const outputTokens = used.outputTokens || estimateTokens(JSON.stringify(output));
    this.contextTokens = used.inputTokens ?? 0;
    this.usage.inputTokens += this.contextTokens;
    this.usage.outputTokens += outputTokens;
    this.usage.cachedInputTokens += used.inputTokenDetails.cacheReadTokens ?? 0;
    const stepId = `${this.turn.turnId}:${this.turn.fencingToken}:${this.steps++}`;
    const earlier = this.lastDebit;
    this.lastDebit = earlier.then(() => this.debit(stepId, outputTokens));
    // Awaited by balance(); until then a failure must not look unhandled.
    this.lastDebit.catch(() => undefined);
  }

  /** What the agent may still spend, after all steps so far. Errors: SERVICE_UNAVAILABLE when a debit could not be made. */
  balance(): Promise<number> {
    return this.lastDebit;
  }

  private async debit(stepId: string, outputTokens: number): Promise<number> {
    for (let attempt = 1; ; attempt++) {
      try {
        const call = { ...ownCall(`turn_${this.turn.turnId}`), accountId: this.turn.accountId };
        return (await this.bus.request(debitTokens, { agentId: this.turn.agentId, stepId, outputTokens }, call))
          .outputTokenBalance;
      } catch (error) {
        if (!(error instanceof RoostError && error.code === 'SERVICE_UNAVAILABLE') || attempt === 4) throw error;
        await sleep(attempt * 500);
      }
    }
  }
}
