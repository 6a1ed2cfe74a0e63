import { type AgentForTurn, type ClaimedTurn, getAgentForTurn, RoostError } from '#lib/contracts';
import type { Logger } from '#lib/observability';
import type { ModelMessage } from 'ai';
import type { BusPort } from '../bus-port.js';
import { newMessages } from '../context/new-messages.js';
import { recentMessages } from '../context/recent-messages.js';
import { systemPrompt } from '../context/system-prompt.js';
import { modelFailure } from '../models/model-failure.js';
import { type PlatformModels, type ResolvedModel, resolveModel } from '../models/model-registry.js';
import { builtInTools } from '../tools/toolset.js';
import { LivePublisher } from './live-publisher.js';
import { type LoopResult, MAX_STEPS, modelLoop } from './model-loop.js';
import { ReplyText } from './reply-text.js';
import { TurnReport } from './report-turn.js';
import { StepMeter } from './step-meter.js';
import { TurnStopped } from './turn-end.js';
import { TurnLease } from './turn-lease.js';

export interface TurnRunner {
  bus: BusPort;
  platform: PlatformModels;
  logger: Logger;
}

const DEFAULT_TIMEOUT_SECONDS = 3_600;

/**
 * Runs one claimed turn from its context to its report. Never throws: whatever happens is reported to messaging,
 * or left to the lease's end when messaging cannot be reached or the lease is lost.
 */
export async function runTurn(runner: TurnRunner, turn: ClaimedTurn, abort: AbortController): Promise<void> {
  const live = new LivePublisher(runner.bus, turn);
  const reply = new ReplyText(live);
  const meter = new StepMeter(runner.bus, turn);
  const report = new TurnReport(runner.bus, turn);
  const lease = new TurnLease(runner.bus, turn, { partialReply: () => reply.value, onWaiting: () => undefined }, abort);
  let model: ResolvedModel | undefined;
  try {
    if (turn.attempt > 1) live.restarted();
    const call = { accountId: turn.accountId, requestId: `turn_${turn.turnId}`, deadline: Date.now() + 15_000 };
    const [agent, history] = await Promise.all([runner.bus.request(getAgentForTurn, { agentId: turn.agentId }, call), recentMessages(runner.bus, turn, call)]);
    if (agent.outputTokenBalance <= 0) throw new RoostError('BALANCE_EXHAUSTED', 'the agent has no output tokens left: add some to its balance');
    model = resolveModel(agent.configuration.model, agent.providerKeys, runner.platform);
    const result = await withTimeout(agent, abort, () =>
      modelLoop({
        model: model as ResolvedModel,
        system: { role: 'system', content: systemPrompt(agent, turn) },
        messages: [...history, ...newMessages(turn)] satisfies ModelMessage[],
        tools: builtInTools({ bus: runner.bus, accountId: turn.accountId, agentId: turn.agentId, conversationId: turn.conversationId, turnId: turn.turnId }),
        signal: abort.signal,
        reply,
        live,
        meter,
      }),
    );
    sayWhyItEnds(reply, result);
    live.flush();
    await meter.balance();
    await report.completed(reply.value, meter.usage);
  } catch (error) {
    live.flush();
    await reportEnd(error).catch((unreported: unknown) => runner.logger.warn({ err: unreported, turnId: turn.turnId }, 'a turn could not be reported; its lease will end'));
  } finally {
    lease.release();
  }

  async function reportEnd(error: unknown): Promise<void> {
    const reason = abort.signal.reason instanceof TurnStopped ? abort.signal.reason.reason : undefined;
    if (reason === 'lease-lost') return runner.logger.warn({ turnId: turn.turnId }, 'the lease of a turn was lost');
    if (reason === 'interrupted') return void (await report.interrupted(reply.value, meter.usage));
    if (reason === 'shutdown') return void (await report.released());
    const failure =
      reason === 'timeout'
        ? { code: 'TURN_TIMEOUT', message: 'the turn took longer than the agent’s timeout_seconds', retryable: false }
        : failureOf(error, model);
    runner.logger.warn({ err: error, turnId: turn.turnId, agentId: turn.agentId, code: failure.code, retryable: failure.retryable }, 'a turn failed');
    await report.failed(failure, failure.retryable, reply.value);
  }
}

async function withTimeout<T>(agent: AgentForTurn, abort: AbortController, work: () => Promise<T>): Promise<T> {
  const seconds = agent.configuration.timeoutSeconds ?? DEFAULT_TIMEOUT_SECONDS;
  const timer = setTimeout(() => abort.abort(new TurnStopped('timeout')), seconds * 1_000);
  try {
    return await work();
  } finally {
    clearTimeout(timer);
  }
}

function failureOf(error: unknown, model: ResolvedModel | undefined): { code: string; message: string; retryable: boolean } {
  if (model && !(error instanceof RoostError)) return modelFailure(error, model);
  if (error instanceof RoostError) return { code: error.code, message: error.message, retryable: error.code === 'SERVICE_UNAVAILABLE' };
  return { code: 'INTERNAL', message: 'something went wrong on our side; the turn is tried again', retryable: true };
}

function sayWhyItEnds(reply: ReplyText, { endedBy }: LoopResult): void {
  if (endedBy === 'steps') reply.note(`stopped after ${MAX_STEPS} steps`);
  if (endedBy === 'balance') reply.note('stopped: the agent’s output token balance is used up');
  if (endedBy === 'length') reply.note('cut off: the model’s longest answer was reached');
  if (endedBy === 'filter') reply.note('the provider’s content filter stopped this answer');
  if (!reply.value) reply.add('[the model ended its turn without saying anything]');
}
