import { type ClaimedTurn, RoostError } from '#lib/contracts';
import type { Span } from '#lib/tracing';
import type { ModelMessage, ToolSet } from 'ai';
import { setTimeout as sleep } from 'node:timers/promises';
import { AskedCalls } from '../approvals/asked-calls.js';
import { TurnApprovals } from '../approvals/turn-approvals.js';
import { loadContext, type TurnContext } from '../context/load-context.js';
import { newMessages } from '../context/new-messages.js';
import { endLostCommands } from '../context/resume-turn.js';
import { withoutLooseTools } from '../context/tool-pairs.js';
import { endEphemeralMemory } from '../context/wipe-memory.js';
import { modelFailure } from '../models/model-failure.js';
import type { AttemptRecord } from '../runs/attempts.repository.js';
import { secretsOf } from '../runs/secrets-of.js';
import { BudgetExhausted, isExhausted, requirePrice } from '../usage/budget-exhausted.js';
import { closeSession } from './close-session.js';
import { type Compactor, compactorOf } from './compactor.js';
import { INTERRUPTED_TURN, rememberLeftTurn } from './left-turn.js';
import { LivePublisher } from './live-publisher.js';
import { type LoopEnd, modelLoop } from './model-loop.js';
import { filteredTurn, isAnswered, noteEnd } from './note-end.js';
import { Reminders } from './reminders.js';
import { ReplyText } from './reply-text.js';
import { TurnReport } from './report-turn.js';
import { StepMeter } from './step-meter.js';
import { STOPPED_BECAUSE, TurnStopped } from './turn-end.js';
import { inTurnSpan, spanUsage } from './turn-span.js';
import { failureOf, isPlatformAway } from './turn-failure.js';
import { TurnJournal } from './turn-journal.js';
import { TurnLease } from './turn-lease.js';
import { turnTools } from './turn-tools.js';
import type { TurnRunner } from './turn-runner.js';
import { TurnView } from './turn-view.js';

const DEFAULT_TIMEOUT_SECONDS = 3_600;
const PAUSE_MS = 1_000;

/**
 * Runs one claimed turn from its context to its report. Never throws: whatever happens is reported to messaging,
 * or left to the lease's end when messaging cannot be reached or the lease is lost.
 */
export function runTurn(runner: TurnRunner, turn: ClaimedTurn, abort: AbortController): Promise<void> {
  return inTurnSpan(runner.bus.tracer, turn, (span) => new RunningTurn(runner, turn, abort, span).run());
}

class RunningTurn {
  private readonly live: LivePublisher;
  private readonly reply: ReplyText;
  private readonly meter: StepMeter;
  private readonly report: TurnReport;
  private readonly lease: TurnLease;
  private readonly journal: TurnJournal;
  private readonly approvals: TurnApprovals;
  private reminders: Reminders | undefined;
  private context: TurnContext | undefined;
  /** The messages of model and tools in finished steps. */
  private stepMessages: ModelMessage[] = [];
  /** What happened was written with the transcript. */
  private isRecorded = false;
  /** The provider's content filter stopped it: it would stop what follows as well, as long as it were in the context. */
  private isFiltered = false;
  /** How much of the reply belongs to finished steps. */
  private finishedChars = 0;
  /** Calls of tools are written down until the end is reported, so that no attempt after this one repeats them. */
  private keepsWork = false;

  constructor(
    private readonly runner: TurnRunner,
    private readonly turn: ClaimedTurn,
    private readonly abort: AbortController,
    private readonly span: Span | undefined,
  ) {
    this.live = new LivePublisher(runner.bus, turn);
    this.reply = new ReplyText(this.live);
    this.meter = new StepMeter(runner.bus, turn, runner.prices);
    this.report = new TurnReport(runner.bus, turn);
    this.journal = new TurnJournal(runner.unfinished, turn, () => this.record, runner.logger);
    this.lease = new TurnLease(
      runner.bus,
      turn,
      { partialReply: () => this.reply.value, onWaiting: (count) => this.reminders?.updateCount(count) },
      abort,
    );
    const { live, meter, report, journal } = this;
    this.approvals = new TurnApprovals({ bus: runner.bus, turn, live, meter, report, journal, abort });
  }

  async run(): Promise<void> {
    const { runner, turn } = this;
    let timer: NodeJS.Timeout | undefined;
    try {
      const context = (this.context = await this.begin());
      requirePrice(context, runner.prices);
      this.reminders = new Reminders(context.agent.configuration);
      const seconds = context.agent.configuration.timeoutSeconds ?? DEFAULT_TIMEOUT_SECONDS;
      timer = setTimeout(() => this.abort.abort(new TurnStopped('timeout')), seconds * 1_000);
      context.questions.isOpen = context.gate.unattendedProblem === undefined;
      this.resume(context);
      const end = await this.think(context);
      if (end.waiting) return await this.suspend(context, end.waiting);
      noteEnd(this.reply, end, turn.channel);
      this.isFiltered = end.why === 'filter';
      this.live.flush();
      await this.journal.stop();
      await Promise.all([this.meter.balance(), this.remember(context, false)]);
      await endEphemeralMemory(context, this.runner, this.stepMessages);
      await this.complete();
    } catch (error) {
      this.live.flush();
      await this.meter.settle();
      await this.reportEnd(error).catch((err: unknown) =>
        runner.logger.warn({ err, turnId: turn.turnId }, 'a turn could not be reported; its lease will end'),
      );
    } finally {
      clearTimeout(timer);
      spanUsage(this.span, this.meter.usage);
      this.lease.release();
      this.live.end();
      await this.journal.stop();
    }
  }

  /** The context, after the conversation's last session was closed if it was reset, and what a turn left is in it. */
  private async begin(): Promise<TurnContext> {
    const { runner, turn } = this;
    const context = await loadContext(runner, turn);
    this.meter.recorder.mask.add(secretsOf(context.agent, runner.platform));
    const { toClose } = context.session;
    if (toClose) await closeSession(runner, context, toClose, this.meter, this.abort.signal);
    else if (!(await rememberLeftTurn(runner, turn, context))) return context;
    return loadContext(runner, turn);
  }

  /** Takes up what an earlier attempt had done; without any, has readers of the live view begin anew. */
  private resume({ asked, resumed, session, tools }: TurnContext): void {
    this.journal.asked = asked;
    if (resumed || this.turn.attempt > 1) this.live.restarted();
    if (!resumed) return;
    this.reply.resume(resumed.reply);
    this.stepMessages = resumed.stepMessages;
    if (resumed.since.length > 0)
      this.stepMessages.push(newMessages({ ...this.turn, attempt: 1, messages: resumed.since }));
    this.finishedChars = this.reply.value.length;
    this.journal.stepFinished(this.stepMessages, this.reply.value, resumed.waiting);
    if (session.unfinished) void endLostCommands(tools, session.unfinished);
  }

  /** The model's loop, once more with a shorter context if the model refused the first as too long. */
  private async think(context: TurnContext): Promise<LoopEnd> {
    // The worker was lost between the answer and its report: it is not given twice.
    if (isAnswered(this.stepMessages)) return { why: 'model', unseen: [] };
    const tools = () => this.tools(context);
    const decided = await this.approvals.carryOut(context, tools, this.stepMessages, this.reply.value);
    this.stepMessages = decided.messages;
    if (decided.waiting.length > 0) return { why: 'approval', unseen: [], waiting: decided.waiting };
    const compactor = compactorOf(this.runner, this.turn, context, this.abort.signal, this.meter);
    const history = await compactor.start();
    try {
      return await this.loop(context, compactor, [...history, context.asked, ...this.stepMessages]);
    } catch (error) {
      if (this.abort.signal.aborted || modelFailure(error, context.model).code !== 'MODEL_CONTEXT_TOO_LONG')
        throw error;
      this.reply.takeBack(this.finishedChars);
      const shorter = await compactor.start(true);
      return this.loop(context, compactor, [...shorter, context.asked, ...withoutLooseTools(this.stepMessages)]);
    }
  }

  private loop(context: TurnContext, compactor: Compactor, messages: ModelMessage[]): Promise<LoopEnd> {
    const earlierMessages = this.stepMessages;
    const view = new TurnView();
    return modelLoop({
      model: context.model,
      system: context.system,
      messages,
      tools: this.tools(context),
      asked: new AskedCalls(context.gate, context.questions),
      questions: context.questions,
      signal: this.abort.signal,
      reply: this.reply,
      live: this.live,
      meter: this.meter,
      view,
      onStepMessages: (messages, waiting) => {
        this.stepMessages = [...earlierMessages, ...messages];
        this.finishedChars = this.reply.value.length;
        this.journal.stepFinished(this.stepMessages, this.reply.value, waiting);
      },
      onCall: (call) => this.journal.callStarted(call, this.reply.value.slice(this.finishedChars).trim()),
      onResult: (toolCallId, text, isError) => this.journal.callFinished(toolCallId, text, isError),
      beforeStep: async (soFar) => {
        await this.lease.extendIfDue();
        if (this.lease.lacksBudget) throw new BudgetExhausted();
        this.reminders?.announce(view, soFar.length);
        await compactor.betweenSteps(view, soFar, this.meter.contextTokens);
      },
    });
  }

  private tools(context: TurnContext): ToolSet {
    return turnTools(this.runner.bus.tracer, context, {
      waiting: () => this.reminders?.count ?? 0,
      onExit: (callId, exitCode) => this.meter.recorder.exited(callId, exitCode),
    });
  }

  /** Gives the slot back until people have decided: the work is kept for whoever goes on then. */
  private async suspend(context: TurnContext, waiting: NonNullable<LoopEnd['waiting']>): Promise<void> {
    this.live.flush();
    await this.meter.settle();
    if (!(await this.approvals.suspend(waiting, context, this.reply.value))) await this.finish(context);
  }

  /** Before the report: a turn that messaging knows as done must not be missing from its session. */
  private async remember(context: TurnContext, isInterrupted: boolean): Promise<void> {
    const unfinished = isInterrupted ? this.reply.value.slice(this.finishedChars).trim() : '';
    const messages: ModelMessage[] = [context.asked, ...withoutLooseTools(this.stepMessages)];
    if (unfinished) messages.push({ role: 'assistant', content: unfinished });
    if (isInterrupted) messages.push(INTERRUPTED_TURN);
    const leftOut = this.isFiltered ? messages.length : 0;
    if (this.isFiltered) messages.push(filteredTurn(messages));
    await this.journal.stop();
    this.keepsWork = !isInterrupted && this.stepMessages.some(({ role }) => role === 'tool');
    if (this.keepsWork) await this.journal.flush();
    await this.runner.sessions.store(this.turn, {
      messages,
      leftOut,
      isInterrupted,
      isPersistent: context.agent.sessionMode === 'persistent',
      // What was counted is mostly left out of the next one.
      contextTokens: this.isFiltered ? 0 : this.meter.contextTokens,
      attempt: this.record,
      earlierTurnId: context.resumed && context.session.unfinished?.turnId,
      keepsWork: this.keepsWork,
    });
    this.isRecorded = true;
  }

  private get record(): AttemptRecord {
    const configurationVersion = this.context?.agent.version ?? null;
    return { steps: this.meter.recorder.all, usage: this.meter.sums, configurationVersion };
  }

  private async complete(): Promise<void> {
    try {
      await this.report.completed(this.reply.value, this.meter.usage);
      if (this.keepsWork) await this.runner.sessions.forgetWork(this.turn);
    } catch (error) {
      // Another worker has the turn: its transcript is the one that counts.
      if (error instanceof RoostError && error.code === 'CONFLICT') {
        this.abort.abort(new TurnStopped('lease-lost'));
        await this.runner.sessions.forgetTurn(this.turn);
      }
      throw error;
    }
  }

  private async reportEnd(error: unknown): Promise<void> {
    const { turn, context, runner } = this;
    const reason = this.abort.signal.reason instanceof TurnStopped ? this.abort.signal.reason.reason : undefined;
    if (reason) this.meter.recorder.interrupted(STOPPED_BECAUSE[reason]);
    if (reason === 'lease-lost') {
      runner.logger.warn({ turnId: turn.turnId }, 'the lease of a turn was lost');
      return this.recordRest();
    }
    // The work is kept: when the agent acts again, or another worker has the turn, it goes on from there.
    if (reason === 'shutdown' || reason === 'stopped') {
      await this.handOver(context);
      return void (await this.report.released(STOPPED_BECAUSE[reason]));
    }
    // Messaging learns of an empty balance by an event and gives out no more turns; a part of Roost that is away comes
    // back. Neither is the message's fault: the try does not count. Until then, not to claim this turn in a circle.
    if (isExhausted(error) || (reason === undefined && isPlatformAway(error))) {
      const { code, message } = failureOf(error, context?.model, reason);
      this.meter.recorder.interrupted({ code, message });
      await sleep(PAUSE_MS);
      await this.handOver(context);
      return void (await this.report.released({ code, message }));
    }
    if (reason === 'interrupted') {
      await this.finish(context);
      return void (await this.report.interrupted(this.reply.value, this.meter.usage));
    }
    const failure = failureOf(error, context?.model, reason);
    this.span?.fail(failure.code);
    // Not the error itself: a provider's holds the whole prompt, and may repeat the key it refused.
    const cause = error instanceof Error ? error.name : typeof error;
    runner.logger.warn({ ...failure, cause, turnId: turn.turnId, agentId: turn.agentId }, 'a turn failed');
    if (failure.code === 'MODEL_KEY_REFUSED') await runner.refusedKeys.report(turn, failure.message);
    if (failure.retryable) await this.handOver(context);
    else await this.finish(context);
    const { willRetry } = await this.report.failed(failure, this.reply.value);
    if (failure.retryable && !willRetry) await this.finish(context);
  }

  /** What no statement of the turn has written: of an attempt that came to no transcript, or whose lease was lost. */
  private async recordRest(): Promise<void> {
    if (this.isRecorded || this.meter.recorder.isEmpty) return;
    await this.runner.attempts
      .keep(this.turn, this.record)
      .catch((err: unknown) =>
        this.runner.logger.warn({ err, turnId: this.turn.turnId }, 'the steps of a turn could not be written down'),
      );
  }

  /** For a turn that gets no other attempt. */
  private async finish(context: TurnContext | undefined): Promise<void> {
    if (!context) return this.recordRest();
    await this.remember(context, true);
    await endEphemeralMemory(context, this.runner, this.stepMessages);
  }

  /** For the attempt that follows: what was done, and what it cost. */
  private async handOver(context: TurnContext | undefined): Promise<void> {
    if (!context || !(await this.journal.keep())) await this.recordRest();
  }
}
