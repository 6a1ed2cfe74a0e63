import type { AgentForTurn, ClaimedTurn } from '#lib/contracts';
import type { Logger } from '#lib/observability';
import type { ModelMessage } from 'ai';
import { planCompaction, summarise, type Summary, tokensOf } from '../context/compact.js';
import { keysOf, type TurnContext } from '../context/load-context.js';
import { type ResolvedModel, resolveModel } from '../models/model-registry.js';
import type { SessionsRepository } from '../sessions/sessions.repository.js';
import type { StepMeter } from './step-meter.js';
import type { TurnRunner } from './turn-runner.js';
import type { TurnView } from './turn-view.js';

const DEFAULT_THRESHOLD = 120_000;
/** From this try of messaging's five on a turn goes on without what cannot be summarised: it never fails for it. */
const IMPATIENT_FROM_ATTEMPT = 4;

/** Keeps one turn's context under the agent's threshold, before the turn and between its steps. */
export class Compactor {
  readonly threshold: number;
  private readonly isEnabled: boolean;

  constructor(
    private readonly sessions: SessionsRepository,
    private readonly turn: ClaimedTurn,
    private readonly context: TurnContext,
    private readonly summaryModel: ResolvedModel,
    private readonly signal: AbortSignal,
    private readonly meter: StepMeter,
    private readonly logger: Logger,
  ) {
    const compaction = context.agent.configuration.compaction;
    this.threshold = compaction?.thresholdTrigger ?? DEFAULT_THRESHOLD;
    this.isEnabled = compaction?.enabled ?? true;
  }

  /** The history to start with: summarised, and stored so, when it is too long. `force`: the model refused it as it was. */
  async start(force = false): Promise<ModelMessage[]> {
    const { history, rows, session, asked } = this.context;
    const tokens = Math.max(tokensOf([...history, asked]), session.contextTokens);
    if (!force && (!this.isEnabled || tokens < this.threshold)) return history;
    const { replaced } = planCompaction(history, force ? Math.min(tokens / 2, this.threshold) : this.threshold);
    if (replaced === 0) return history;
    const { message, isCurable } = await this.summarise(history.slice(0, replaced));
    const compacted = [message, ...history.slice(replaced)];
    if (session.id && rows.length > 0 && !isCurable)
      await this.sessions.compact(this.turn, session.id, rows.slice(0, replaced), message, tokensOf(compacted));
    return compacted;
  }

  /** Between two steps: summarises the older part of what this turn has grown to. */
  async betweenSteps(view: TurnView, messages: ModelMessage[], contextTokens: number): Promise<void> {
    if (!this.isEnabled || contextTokens < this.threshold) return;
    const seen = view.apply(messages);
    const { replaced } = planCompaction(messages, this.threshold);
    if (replaced <= view.hidden) return;
    const summarised = seen.slice(0, seen.length - (messages.length - replaced));
    view.summarised(replaced, (await this.summarise(summarised)).message);
  }

  private async summarise(messages: ModelMessage[]): Promise<Summary> {
    const { compaction, hookMessages } = this.context.agent.configuration satisfies AgentForTurn['configuration'];
    const instructions = [compaction?.instructions, hookMessages?.beforeCompaction].filter(Boolean).join('\n');
    const summary = await summarise(messages, {
      model: this.summaryModel,
      instructions,
      signal: this.signal,
      threshold: this.threshold,
      isPatient: this.turn.attempt < IMPATIENT_FROM_ATTEMPT,
      onCall: this.meter.watch(this.summaryModel, 'compaction'),
    });
    const { failed } = summary;
    if (failed)
      this.logger.warn(
        { cause: failed instanceof Error ? failed.name : typeof failed, agentId: this.turn.agentId },
        'a conversation could not be summarised; its oldest part was dropped',
      );
    return summary;
  }
}

/** The compactor of a turn: by the model that the agent names for it, or its own. */
export function compactorOf(
  { bus, platform, sessions, logger }: TurnRunner,
  turn: ClaimedTurn,
  context: TurnContext,
  signal: AbortSignal,
  meter: StepMeter,
): Compactor {
  const { agent, model } = context;
  const named = agent.configuration.compaction?.model;
  const summaryModel = named ? { ...resolveModel(named, keysOf(agent, bus), platform), tracer: bus.tracer } : model;
  return new Compactor(sessions, turn, context, summaryModel, signal, meter, logger);
}
