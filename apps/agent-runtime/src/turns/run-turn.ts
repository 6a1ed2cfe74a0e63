import { type ClaimedTurn, RoostError } from '#lib/contracts';
import type { Logger } from '#lib/observability';
import type { ModelMessage } from 'ai';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ContextSources, loadContext, type TurnContext } from '../context/load-context.js';
import { withoutLooseTools } from '../context/tool-pairs.js';
import { wipeMemory } from '../context/wipe-memory.js';
import { modelFailure } from '../models/model-failure.js';
import { type ResolvedModel, resolveModel } from '../models/model-registry.js';
import { builtInTools } from '../tools/toolset.js';
import { Compactor } from './compactor.js';
import { LivePublisher } from './live-publisher.js';
import { type LoopEnd, MAX_STEPS, modelLoop } from './model-loop.js';
import { Reminders } from './reminders.js';
import { ReplyText } from './reply-text.js';
import { TurnReport } from './report-turn.js';
import { StepMeter } from './step-meter.js';
import { TurnStopped } from './turn-end.js';
import { TurnLease } from './turn-lease.js';
import { TurnView } from './turn-view.js';

export interface TurnRunner extends ContextSources {
  logger: Logger;
}

const DEFAULT_TIMEOUT_SECONDS = 3_600;
const EXHAUSTED_PAUSE_MS = 1_000;

/**
 * Runs one claimed turn from its context to its report. Never throws: whatever happens is reported to messaging,
 * or left to the lease's end when messaging cannot be reached or the lease is lost.
 */
export function runTurn(runner: TurnRunner, turn: ClaimedTurn, abort: AbortController): Promise<void> {
  return new RunningTurn(runner, turn, abort).run();
}

class RunningTurn {
  private readonly live: LivePublisher;
  private readonly reply: ReplyText;
  private readonly meter: StepMeter;
  private readonly report: TurnReport;
  private readonly lease: TurnLease;
  private reminders: Reminders | undefined;
  private context: TurnContext | undefined;
  /** What the model and the tools have said in finished steps. */
  private said: ModelMessage[] = [];
  /** How much of the reply belongs to finished steps. */
  private saidChars = 0;

  constructor(
    private readonly runner: TurnRunner,
    private readonly turn: ClaimedTurn,
    private readonly abort: AbortController,
  ) {
    this.live = new LivePublisher(runner.bus, turn);
    this.reply = new ReplyText(this.live);
    this.meter = new StepMeter(runner.bus, turn);
    this.report = new TurnReport(runner.bus, turn);
    this.lease = new TurnLease(
      runner.bus,
      turn,
      { partialReply: () => this.reply.value, onWaiting: (count) => this.reminders?.heard(count) },
      abort,
    );
  }

  async run(): Promise<void> {
    const { runner, turn } = this;
    let timer: NodeJS.Timeout | undefined;
    try {
      if (turn.attempt > 1) this.live.restarted();
      const context = (this.context = await loadContext(runner, turn));
      this.reminders = new Reminders(context.agent.configuration);
      const seconds = context.agent.configuration.timeoutSeconds ?? DEFAULT_TIMEOUT_SECONDS;
      timer = setTimeout(() => this.abort.abort(new TurnStopped('timeout')), seconds * 1_000);
      const end = await this.think(context);
      this.sayWhyItEnds(end);
      this.live.flush();
      await Promise.all([this.meter.balance(), this.remember(context, false)]);
      await this.endSession(context);
      await this.report.completed(this.reply.value, this.meter.usage);
    } catch (error) {
      this.live.flush();
      await this.reportEnd(error).catch((err: unknown) =>
        runner.logger.warn({ err, turnId: turn.turnId }, 'a turn could not be reported; its lease will end'),
      );
    } finally {
      clearTimeout(timer);
      this.lease.release();
    }
  }

  /** The model's loop, once more with a shorter context if the model refused the first as too long. */
  private async think(context: TurnContext): Promise<LoopEnd> {
    const compactor = this.compactor(context);
    const history = await compactor.start();
    try {
      return await this.loop(context, compactor, [...history, context.asked]);
    } catch (error) {
      if (this.abort.signal.aborted || modelFailure(error, context.model).code !== 'MODEL_CONTEXT_TOO_LONG')
        throw error;
      const shorter = await compactor.start(true);
      return this.loop(context, compactor, [...shorter, context.asked, ...withoutLooseTools(this.said)]);
    }
  }

  private loop(context: TurnContext, compactor: Compactor, messages: ModelMessage[]): Promise<LoopEnd> {
    const saidBefore = this.said;
    const view = new TurnView();
    return modelLoop({
      model: context.model,
      system: context.system,
      messages,
      tools: {
        ...context.mcpTools,
        ...builtInTools(context.tools, context.agent.configuration, () => this.reminders?.count ?? 0),
      },
      signal: this.abort.signal,
      reply: this.reply,
      live: this.live,
      meter: this.meter,
      view,
      onSaid: (said) => {
        this.said = [...saidBefore, ...said];
        this.saidChars = this.reply.value.length;
      },
      beforeStep: async (soFar) => {
        await this.lease.freshen();
        this.reminders?.announce(view, soFar.length);
        await compactor.betweenSteps(view, soFar, this.meter.contextTokens);
      },
    });
  }

  private compactor(context: TurnContext): Compactor {
    const { agent, model } = context;
    const named = agent.configuration.compaction?.model;
    const summaryModel = named ? resolveModel(named, agent.providerKeys, this.runner.platform).model : model.model;
    return new Compactor(this.runner.sessions, this.turn, context, summaryModel, this.abort.signal, this.runner.logger);
  }

  /** Before the report: a turn that messaging knows as done must not be missing from its session. */
  private async remember(context: TurnContext, isInterrupted: boolean): Promise<void> {
    const unfinished = isInterrupted ? this.reply.value.slice(this.saidChars).trim() : '';
    const messages: ModelMessage[] = [context.asked, ...withoutLooseTools(this.said)];
    if (unfinished) messages.push({ role: 'assistant', content: unfinished });
    if (isInterrupted) messages.push({ role: 'user', content: '[This turn was interrupted.]' });
    await this.runner.sessions.store(this.turn, {
      messages,
      isInterrupted,
      model: `${context.model.provider}/${context.model.modelId}`,
      usage: this.meter.usage,
      contextTokens: this.meter.contextTokens,
    });
  }

  /** An ephemeral session ends with its turn, and so does its memory if that is ephemeral too. */
  private async endSession({ agent, tools, memoryType }: TurnContext): Promise<void> {
    if (agent.sessionMode !== 'ephemeral' || agent.configuration.memoryConfig?.persistence !== 'ephemeral') return;
    const hasWritten = this.said.some(
      ({ content }) =>
        typeof content !== 'string' &&
        content.some((part) => part.type === 'tool-call' && part.toolName === 'memory_write'),
    );
    if (hasWritten) await wipeMemory(tools, this.runner.sessions, memoryType);
  }

  private async reportEnd(error: unknown): Promise<void> {
    const { turn, context, runner } = this;
    const reason = this.abort.signal.reason instanceof TurnStopped ? this.abort.signal.reason.reason : undefined;
    if (reason === 'lease-lost') return runner.logger.warn({ turnId: turn.turnId }, 'the lease of a turn was lost');
    if (reason === 'shutdown') return void (await this.report.released());
    if (error instanceof RoostError && error.code === 'BALANCE_EXHAUSTED') {
      // Messaging hears of it by an event and gives out no more turns; until then, not to claim this one in a circle.
      await sleep(EXHAUSTED_PAUSE_MS);
      return void (await this.report.released());
    }
    if (reason === 'interrupted') {
      if (context) await this.remember(context, true);
      return void (await this.report.interrupted(this.reply.value, this.meter.usage));
    }
    const failure =
      reason === 'timeout'
        ? { code: 'TURN_TIMEOUT', message: 'the turn took longer than the agent’s timeout_seconds', retryable: false }
        : failureOf(error, context?.model);
    // Not the error itself: a provider's holds the whole prompt, and may repeat the key it refused.
    runner.logger.warn(
      {
        ...failure,
        cause: error instanceof Error ? error.name : typeof error,
        turnId: turn.turnId,
        agentId: turn.agentId,
      },
      'a turn failed',
    );
    if (context && !failure.retryable) await this.remember(context, true);
    await this.report.failed(failure, failure.retryable, this.reply.value);
  }

  private sayWhyItEnds(end: LoopEnd): void {
    if (end === 'steps') this.reply.note(`stopped after ${MAX_STEPS} steps`);
    if (end === 'balance') this.reply.note('stopped: the agent’s output token balance is used up');
    if (end === 'length') this.reply.note('cut off: the model’s longest answer was reached');
    if (end === 'filter') this.reply.note('the provider’s content filter stopped this answer');
    if (!this.reply.value) this.reply.add('[the model ended its turn without saying anything]');
  }
}

function failureOf(
  error: unknown,
  model: ResolvedModel | undefined,
): { code: string; message: string; retryable: boolean } {
  if (error instanceof RoostError)
    return { code: error.code, message: error.message, retryable: error.code === 'SERVICE_UNAVAILABLE' };
  if (model) return modelFailure(error, model);
  return { code: 'INTERNAL', message: 'something went wrong on our side; the turn is tried again', retryable: true };
}
