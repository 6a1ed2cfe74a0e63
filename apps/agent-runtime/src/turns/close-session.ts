import type { Logger } from '#lib/observability';
import type { ModelMessage } from 'ai';
import type { TurnContext } from '../context/load-context.js';
import { wipeMemory } from '../context/wipe-memory.js';
import { modelFailure } from '../models/model-failure.js';
import type { SessionsRepository } from '../sessions/sessions.repository.js';
import { isExhausted } from '../usage/budget-exhausted.js';
import { modelLoop } from './model-loop.js';
import { ReplyText } from './reply-text.js';
import type { StepMeter } from './step-meter.js';
import { turnTools } from './turn-tools.js';
import { TurnView } from './turn-view.js';

/** What it needs of the worker that runs the turn. */
interface ClosingSources {
  sessions: SessionsRepository;
  logger: Logger;
}

/** Nothing is published of what the agent does while it closes: it answers no message. */
const SILENT = {
  text: () => undefined,
  restarted: () => undefined,
  toolCall: () => undefined,
  toolResult: () => undefined,
};

/**
 * Marks the end of a session that was reset, before the conversation's next turn begins: the agent carries out its
 * `session_end` hook with the old context, then an ephemeral memory is wiped. Done again when a worker is lost in
 * between. Errors: the provider's passing ones, BudgetExhausted; others leave the hook out, so that the conversation goes on.
 */
export async function closeSession(
  runner: ClosingSources,
  context: TurnContext,
  sessionId: string,
  meter: StepMeter,
  signal: AbortSignal,
): Promise<void> {
  const { agent, tools, memoryType, conversation } = context;
  const { hookMessages, memoryConfig } = agent.configuration;
  const isPersistent = agent.sessionMode === 'persistent';
  let messages: ModelMessage[] = [];
  if (isPersistent && hookMessages?.sessionEnd) {
    messages = await runHook(runner, context, sessionId, hookMessages.sessionEnd, meter, signal).catch(
      (error: unknown) => {
        signal.throwIfAborted();
        if (isExhausted(error)) throw error;
        const failure = modelFailure(error, context.model);
        if (failure.retryable) throw error;
        runner.logger.warn({ ...failure, agentId: agent.agentId }, 'a session ended without its session_end hook');
        return [];
      },
    );
  }
  if (isPersistent && memoryConfig?.persistence === 'ephemeral') await wipeMemory(tools, runner.sessions, memoryType);
  await runner.sessions.close(conversation, sessionId, messages);
}

async function runHook(
  runner: ClosingSources,
  context: TurnContext,
  sessionId: string,
  hook: string,
  meter: StepMeter,
  signal: AbortSignal,
): Promise<ModelMessage[]> {
  const rows = await runner.sessions.context(sessionId, context.tools.turnId);
  if (rows.length === 0) return [];
  const asked: ModelMessage = { role: 'user', content: `[This session ends now; nobody reads your answer. ${hook}]` };
  let messages: ModelMessage[] = [];
  await modelLoop({
    model: context.model,
    system: context.system,
    messages: [...rows.map(({ message }) => message), asked],
    tools: turnTools(context.tools.bus.tracer, context, { waiting: () => 0 }),
    signal,
    reply: new ReplyText(SILENT),
    live: SILENT,
    meter,
    view: new TurnView(),
    onStepMessages: (all) => (messages = all),
    beforeStep: () => Promise.resolve(),
  });
  return [asked, ...messages];
}
