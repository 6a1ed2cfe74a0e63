import type { Bus } from '#lib/bus';
import { ownCall } from '#lib/call-context';
import { type BudgetState, type ClaimedTurn, debitTokens, RoostError, type RunUsage, type Usage } from '#lib/contracts';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CallObserver } from '../models/observed-model.js';
import type { ResolvedModel } from '../models/model-registry.js';
import { estimateTokens } from '../models/tokens.js';
import { StepRecorder } from '../runs/step-recorder.js';
import { BudgetExhausted } from '../usage/budget-exhausted.js';
import type { Prices } from '../usage/prices.js';
import { namedTokens, type StepTokens, tokensOf } from '../usage/step-tokens.js';

/** What a model puts out. */
const OUTPUT = new Set(['text', 'reasoning', 'tool-call']);
/** A turn that ends badly waits no longer for the ledger to know its last step. */
const SETTLE_MS = 5_000;
/** So often a turn waits for a debit. */
const TRIES_IN_TURN = 4;
/** After a try that found the ledger away; longer each time, up to twenty times as long. */
const PAUSE_MS = 500;

/** What the agent may still spend. */
interface Ledger {
  balance: number;
  budget: BudgetState | undefined;
}

interface Debit {
  model: string;
  tokens: StepTokens;
  costNano: bigint | null;
  /** What is taken off the balance. */
  outputTokens: number;
}

/**
 * Counts and prices every call of a model that a turn makes, debits each as soon as its answer is there, and has it
 * recorded. A repeated debit of one step counts once.
 */
export class StepMeter {
  readonly recorder = new StepRecorder();
  readonly usage: Usage = { inputTokens: 0, outputTokens: 0, cachedInputTokens: 0 };
  /** Input tokens of the latest step: how large the context has become. */
  contextTokens = 0;
  private reasoningTokens = 0;
  private costNano: bigint | null = 0n;
  private steps = 0;
  private lastDebit: Promise<Ledger> = Promise.resolve({ balance: Number.POSITIVE_INFINITY, budget: undefined });

  constructor(
    private readonly bus: Bus,
    private readonly turn: ClaimedTurn,
    private readonly prices: Prices,
    private readonly pauseMs = PAUSE_MS,
  ) {}

  /** All that the attempt has used so far. */
  get sums(): RunUsage {
    return { ...this.usage, reasoningTokens: this.reasoningTokens, costUsd: this.costNano };
  }

  /**
   * What `observedModel` reports of each call, which none gets to without a budget. What summarises a conversation is not
   * debited from the balance.
   */
  watch(model: ResolvedModel, kind: 'model' | 'compaction' = 'model'): () => Promise<CallObserver> {
    const name = `${model.provider}/${model.modelId}`;
    return async () => {
      await this.requireBudget();
      const recorded = this.recorder.modelCall(kind, name);
      return {
        onFirst: () => recorded.firstToken(),
        onAnswer: ({ usage, content, finishReason }) => {
          const reported = tokensOf(usage);
          const costNano = reported ? this.prices.costOf(model, reported) : null;
          const tokens = withGuess(reported, content);
          if (kind === 'model') this.contextTokens = tokens.input;
          recorded.answered({ finishReason: finishReason.unified, tokens: reported, costNano });
          this.count({ model: name, tokens, costNano, outputTokens: kind === 'model' ? tokens.output : 0 });
        },
        onFailure: (reason, usage) => {
          const tokens = usage && tokensOf(usage);
          const costNano = tokens ? this.prices.costOf(model, tokens) : null;
          recorded.failed(reason, tokens, costNano);
          // Counted by its provider all the same. Nothing came of it: the balance is for what did.
          if (tokens) this.count({ model: name, tokens, costNano, outputTokens: 0 });
        },
        onRetry: (reason, pauseMs) => this.recorder.retry(reason, pauseMs),
      };
    };
  }

  /** What the agent may still spend, after all steps so far. Errors: SERVICE_UNAVAILABLE when a debit could not be made. */
  async balance(): Promise<number> {
    return (await this.lastDebit).balance;
  }

  /**
   * Before another call of a model. Errors: BudgetExhausted, also under a budget in money when a step's price was not known; as
   * `balance()`.
   */
  private async requireBudget(): Promise<void> {
    const { budget } = await this.lastDebit;
    if (budget?.isExhausted || (budget?.needsPrice && this.costNano === null)) throw new BudgetExhausted();
  }

  /** Resolves when the debits so far were made, or cannot be. */
  async settle(): Promise<void> {
    const patience = new AbortController();
    await Promise.race([
      this.lastDebit.catch(() => undefined),
      sleep(SETTLE_MS, undefined, { signal: patience.signal }).catch(() => undefined),
    ]);
    patience.abort();
  }

  /** Starts the debit of a step without waiting for it: `balance()` does. */
  private count(step: Debit): void {
    const { tokens, costNano } = step;
    this.usage.inputTokens += tokens.input;
    this.usage.outputTokens += tokens.output;
    this.usage.cachedInputTokens += tokens.cacheRead;
    this.reasoningTokens += tokens.reasoning;
    this.costNano = this.costNano === null || costNano === null ? null : this.costNano + costNano;
    const stepId = `${this.turn.turnId}:${this.turn.fencingToken}:${this.steps++}`;
    // In their order; one that is still tried holds up none.
    const earlier = this.lastDebit.catch(() => undefined);
    this.lastDebit = earlier.then(() => this.debit(stepId, step));
    // Awaited by balance(); until then a failure must not look unhandled.
    this.lastDebit.catch(() => undefined);
  }

  /** Errors: SERVICE_UNAVAILABLE when it could not be made soon. It is tried on then, for as long as this process lives. */
  private debit(stepId: string, { model, tokens, costNano, outputTokens }: Debit): Promise<Ledger> {
    const { agentId, accountId, turnId, channel: source } = this.turn;
    const usage = { model: model.slice(0, 300), source, ...namedTokens(tokens), costUsd: costNano };
    const send = async (): Promise<Ledger> => {
      const call = { ...ownCall(`turn_${turnId}`), accountId };
      const debit = { agentId, stepId, outputTokens, usage };
      const { outputTokenBalance, budget } = await this.bus.request(debitTokens, debit, call);
      return { balance: outputTokenBalance, budget };
    };
    return new Promise((resolve, reject) => {
      this.untilAvailable(send, reject).then(resolve, reject);
    });
  }

  /** Tries again while the ledger is away, telling each failure after the first tries. Errors: all others, and these once the service stops. */
  private async untilAvailable<T>(send: () => Promise<T>, onAway: (error: RoostError) => void): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await send();
      } catch (error) {
        if (!(error instanceof RoostError && error.code === 'SERVICE_UNAVAILABLE')) throw error;
        if (attempt >= TRIES_IN_TURN) {
          onAway(error);
          if (this.bus.stopping.aborted) throw error;
        }
      }
      await sleep(Math.min(attempt, 20) * this.pauseMs, undefined, { ref: false });
    }
  }
}

/** Some compatible servers count nothing; what came out is then guessed, so that a balance still ends. */
function withGuess(reported: StepTokens | undefined, content: { type: string }[]): StepTokens {
  const tokens = reported ?? { input: 0, output: 0, cacheRead: 0, cacheWrite: 0, reasoning: 0 };
  const output = content.filter(({ type }) => OUTPUT.has(type));
  if (tokens.output > 0 || output.length === 0) return tokens;
  return { ...tokens, output: estimateTokens(JSON.stringify(output)) };
}
