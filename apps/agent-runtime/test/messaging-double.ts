import {
  type AgentConfiguration,
  type AgentForTurn,
  claimTurn,
  type ClaimedTurn,
  completeTurn,
  debitTokens,
  ensureWorkspace,
  failTurn,
  getAgentForTurn,
  getAgentState,
  heartbeatTurn,
  interruptSubject,
  interruptedTurn,
  listMessages,
  LiveEvent,
  type Message,
  recentTexts,
  releaseTurn,
  RoostError,
  WAKE_RUNTIME,
} from '#lib/contracts';
import { type Handler, serve } from '#lib/rpc';
import { type RequestContract } from '#lib/contracts';
import type { NatsConnection } from '@nats-io/transport-node';
import { randomUUID } from 'node:crypto';
import type { z } from 'zod';

export interface TurnOutcome {
  end: 'completed' | 'failed' | 'interrupted' | 'released';
  replies: string[];
  partialReply: string;
  error?: { code: string; message: string };
  retryable?: boolean;
  retryAfterMs?: number;
  usage?: { inputTokens: number; outputTokens: number; cachedInputTokens: number };
  ms: number;
}

export type SendOptions = Partial<Pick<ClaimedTurn, 'conversationId' | 'attempt' | 'channel' | 'agentId'>>;

/** As messaging has it. */
const MAX_ATTEMPTS = 5;

/**
 * Messaging and lifecycle as a turn sees them, on a real bus and without their databases: hands out turns,
 * answers for one agent and those added to it, and remembers what was reported.
 */
export class MessagingDouble {
  readonly agentId = randomUUID();
  readonly accountId = randomUUID();
  readonly live: LiveEvent[] = [];
  readonly debits = new Map<string, number>();
  agent: AgentForTurn;
  balance = 1_000_000;
  ensured = 0;
  /** How many steps a budget in tokens outlasts. */
  budgetSteps = Number.POSITIVE_INFINITY;
  /** How many debits from now on are made without the asker observer of it. */
  lostDebits = 0;
  cancelled = new Set<string>();
  /** Turns whose agent was stopped. */
  stopped = new Set<string>();
  /** How often each turn was reported as over. */
  readonly reports = new Map<string, number>();
  private readonly others = new Map<string, AgentForTurn>();
  /** Called by `messaging.turn.complete`, before the turn ends. */
  onComplete: (turnId: string) => void = () => undefined;
  waitingMessages = 0;
  leaseMs = 30_000;
  /** Gives released and passing failures out again, as messaging does; the outcome is then the last attempt's. */
  triesAgain = false;
  /** A messaging service of an older version refuses a report that says how long to wait. */
  knowsRetryAfter = true;
  /** Called by `lifecycle.workspace.ensure`. */
  onEnsure: () => Promise<void> | void = () => undefined;
  private readonly queue: ClaimedTurn[] = [];
  private readonly running = new Map<string, ClaimedTurn>();
  private readonly messages: Message[] = [];
  private readonly waiting = new Map<
    string,
    { resolve: (outcome: TurnOutcome) => void; startedAt: number; conversationId: string }
  >();
  private tokens = 0;

  constructor(private readonly connection: NatsConnection) {
    this.agent = {
      agentId: this.agentId,
      accountId: this.accountId,
      name: 'Ada',
      status: 'active',
      systemPrompt: null,
      systemPromptType: 'append',
      sessionMode: 'ephemeral',
      outputTokenBalance: 1_000_000,
      configuration: {},
      providerKeys: {},
    };
    this.serveMessaging();
    this.serveLifecycle();
    connection.subscribe('live.*', {
      callback: (_, message) => void this.live.push(LiveEvent.parse(message.json())),
    });
  }

  /** One more agent of the same account. */
  addAgent(different: Partial<AgentForTurn>): string {
    const agentId = randomUUID();
    this.others.set(agentId, { ...this.agent, ...different, agentId });
    return agentId;
  }

  configure(configuration: AgentConfiguration): void {
    this.agent = { ...this.agent, configuration };
  }

  /** Queues a turn with one message and gives its outcome. */
  send(
    content: string | string[],
    options: SendOptions = {},
  ): { turnId: string; messageId: string; outcome: Promise<TurnOutcome> } {
    const conversationId = options.conversationId ?? 'default';
    const messages = [content].flat().map((text) => this.remember('user', text, conversationId));
    const turn: ClaimedTurn = {
      turnId: randomUUID(),
      fencingToken: ++this.tokens,
      agentId: options.agentId ?? this.agentId,
      accountId: this.accountId,
      conversationId,
      channel: options.channel ?? 'api',
      counterparty: { id: 'tester', displayName: null },
      messages,
      attempt: options.attempt ?? 1,
      partialReply: '',
      leaseMs: this.leaseMs,
    };
    const outcome = new Promise<TurnOutcome>((resolve) =>
      this.waiting.set(turn.turnId, { resolve, startedAt: performance.now(), conversationId }),
    );
    this.queue.push(turn);
    this.connection.publish(WAKE_RUNTIME);
    return { turnId: turn.turnId, messageId: messages.at(-1)?.id ?? '', outcome };
  }

  interrupt(turnId: string): void {
    this.cancelled.add(turnId);
    this.connection.publish(interruptSubject(this.agentId));
  }

  /** As messaging does when the agent is stopped or enters `error`. */
  stopAgent(turnId: string): void {
    this.stopped.add(turnId);
    this.connection.publish(interruptSubject(this.agentId));
  }

  liveText(turnId: string): string {
    return this.live
      .flatMap((event) => (event.turnId === turnId && event.type === 'text.delta' ? [event.text ?? ''] : []))
      .join('');
  }

  /** What a reader of the live view has seen of a message's answer, however many attempts it took. */
  liveAnswer(messageId: string): string {
    const events = this.live.filter((event) => event.messageId === messageId);
    const begun = events.findLastIndex(({ type }) => type === 'turn.restarted');
    return events
      .slice(begun + 1)
      .map(({ type, text }) => (type === 'text.delta' ? (text ?? '') : ''))
      .join('');
  }

  /** Keeps a message as if it had been sent. */
  remember(role: 'user' | 'assistant', content: string, conversationId: string): Message {
    const message: Message = {
      id: `msg_${randomUUID()}`,
      role,
      content,
      metadata: {},
      status: 'pending',
      channel: 'api',
      queueMode: role === 'user' ? 'collect' : null,
      conversationId,
      replyToId: null,
      createdAt: new Date(),
      deliveredAt: null,
      readAt: null,
      error: null,
    };
    this.messages.push(message);
    return message;
  }

  private end(turnId: string, outcome: Omit<TurnOutcome, 'ms'>): void {
    this.reports.set(turnId, (this.reports.get(turnId) ?? 0) + 1);
    const waiting = this.waiting.get(turnId);
    if (!waiting) return;
    for (const reply of outcome.replies) this.remember('assistant', reply, waiting.conversationId);
    this.waiting.delete(turnId);
    waiting.resolve({ ...outcome, ms: performance.now() - waiting.startedAt });
  }

  /** As messaging does when a lease ends: the same batch as a turn of its own. Gives whether it was a running one. */
  giveAgain(turnId: string, moreAttempts = 1, batch: string[] = [], more: Partial<ClaimedTurn> = {}): boolean {
    const turn = this.running.get(turnId);
    const waiting = this.waiting.get(turnId);
    if (!this.triesAgain || !turn || !waiting || turn.attempt + moreAttempts > MAX_ATTEMPTS) return false;
    this.waiting.delete(turnId);
    this.running.delete(turnId);
    const next: ClaimedTurn = {
      ...turn,
      turnId: randomUUID(),
      runId: turn.runId ?? turn.turnId,
      fencingToken: ++this.tokens,
      attempt: turn.attempt + moreAttempts,
      messages: [...turn.messages, ...batch.map((text) => this.remember('user', text, turn.conversationId))],
      ...more,
    };
    this.waiting.set(next.turnId, waiting);
    this.queue.push(next);
    this.connection.publish(WAKE_RUNTIME);
    return true;
  }

  private on<I extends z.ZodType, O extends z.ZodType>(contract: RequestContract<I, O>, handle: Handler<I, O>): void {
    serve(this.connection, contract, contract.subject, handle, (error) => console.error(error));
  }

  private serveMessaging(): void {
    this.on(claimTurn, () => {
      const turn = this.queue.shift() ?? null;
      if (turn) this.running.set(turn.turnId, turn);
      return { turn, hasMore: this.queue.length > 0 };
    });
    this.on(heartbeatTurn, ({ turnId }) => ({
      cancelled: this.cancelled.has(turnId) || this.stopped.has(turnId),
      stopped: this.stopped.has(turnId),
      lacksBudget: false,
      waitingMessages: this.waitingMessages,
    }));
    this.on(listMessages, ({ conversationId, status, before, limit }) => {
      const all = this.messages.filter(
        (message) =>
          (!conversationId || message.conversationId === conversationId) && (!status || message.status === status),
      );
      const end = before ? all.findIndex((message) => message.id === before) : all.length;
      const page = all.slice(Math.max(0, end - Number(limit)), end);
      return { messages: page.map((message) => ({ ...message, waitingFor: null })), hasMore: false };
    });
    this.on(recentTexts, ({ conversationId, before, since, limit }) => {
      const all = this.messages.filter((message) => message.conversationId === conversationId);
      const end = all.findIndex((message) => message.id === before);
      const texts = all.slice(Math.max(0, end - limit), end).filter(({ createdAt }) => !since || createdAt > since);
      return { texts: texts.map(({ role, content }) => ({ role, content })) };
    });
    this.on(completeTurn, ({ turnId, replies, usage }) => {
      this.onComplete(turnId);
      this.end(turnId, { end: 'completed', replies, partialReply: '', usage });
      return { replyIds: [] };
    });
    this.on(failTurn, ({ turnId, error, retryable, partialReply, retryAfterMs }) => {
      if (retryAfterMs !== undefined && !this.knowsRetryAfter)
        throw new RoostError('VALIDATION_ERROR', 'retry_after_ms: is not a known field');
      if (retryable && this.giveAgain(turnId, 1)) return { willRetry: true };
      const asked = retryAfterMs === undefined ? {} : { retryAfterMs };
      this.end(turnId, { end: 'failed', replies: [], partialReply, error, retryable, ...asked });
      return { willRetry: retryable && !this.triesAgain };
    });
    this.on(interruptedTurn, ({ turnId, partialReply, usage }) => {
      this.end(turnId, { end: 'interrupted', replies: [], partialReply, usage });
      return { accepted: true };
    });
    this.on(releaseTurn, ({ turnId }) => {
      if (this.giveAgain(turnId, 0)) return { accepted: true };
      this.end(turnId, { end: 'released', replies: [], partialReply: '' });
      return { accepted: true };
    });
  }

  private serveLifecycle(): void {
    this.on(getAgentForTurn, ({ agentId }) => ({
      ...(this.others.get(agentId) ?? this.agent),
      outputTokenBalance: this.balance,
    }));
    this.on(getAgentState, () => ({
      agentId: this.agentId,
      accountId: this.accountId,
      status: 'active' as const,
      revision: 1,
    }));
    this.on(debitTokens, ({ stepId, outputTokens }) => {
      if (!this.debits.has(stepId)) {
        this.debits.set(stepId, outputTokens);
        this.balance = Math.max(0, this.balance - outputTokens);
      }
      if (this.lostDebits > 0) {
        this.lostDebits--;
        throw new RoostError('SERVICE_UNAVAILABLE', 'the lifecycle service did not answer in time');
      }
      const budget = { isExhausted: this.debits.size >= this.budgetSteps, needsPrice: false };
      return { outputTokenBalance: this.balance, budget };
    });
    this.on(ensureWorkspace, async () => {
      this.ensured++;
      await this.onEnsure();
      return { workspace: 'running' as const };
    });
  }
}
