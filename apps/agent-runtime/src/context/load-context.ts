import { type AgentForTurn, type ClaimedTurn, getAgentForTurn, RoostError } from '#lib/contracts';
import type { ModelMessage, ToolSet } from 'ai';
import type { Bus } from '#lib/bus';
import { type AgentKeys, type PlatformModels, type ResolvedModel, resolveModel } from '../models/model-registry.js';
import type { ServerDefault } from '../models/server-default.js';
import type { ContextRow, Session, SessionsRepository } from '../sessions/sessions.repository.js';
import { type ToolContext } from '../tools/tool-context.js';
import type { McpRegistry } from '../mcp/registry/mcp-registry.js';
import type { McpPool } from '../mcp/mcp-pool.js';
import { BudgetExhausted } from '../usage/budget-exhausted.js';
import { mcpTools } from '../mcp/mcp-tools.js';
import { type ResumedTurn, resumedTurn } from './resume-turn.js';
import { namesSecret, vaultKeyFetch } from '../vault/vault-headers.js';
import { CallQuestions } from '../approvals/call-questions.js';
import { PermissionGate } from '../permissions/gate.js';
import { wipeMemory } from './wipe-memory.js';
import { memoryPrompt, type MemoryType, readMemory } from './memory.js';
import { newMessages } from './new-messages.js';
import { recentMessages } from './recent-messages.js';
import { systemPrompt } from './system-prompt.js';

export interface ContextSources {
  bus: Bus;
  sessions: SessionsRepository;
  platform: PlatformModels;
  serverDefault: ServerDefault;
  mcp: { registry: McpRegistry; pool: McpPool };
}

/** All that a turn begins with. */
export interface TurnContext {
  agent: AgentForTurn;
  model: ResolvedModel;
  session: Session;
  system: string;
  /** Earlier messages, oldest first; rows where it comes from a persistent session. */
  history: ModelMessage[];
  rows: ContextRow[];
  asked: ModelMessage;
  /** Where an earlier attempt had come to. */
  resumed: ResumedTurn | undefined;
  conversation: Pick<ClaimedTurn, 'agentId' | 'accountId' | 'conversationId'>;
  memoryType: MemoryType;
  tools: ToolContext;
  mcpTools: ToolSet;
  /** Decides which calls run. */
  gate: PermissionGate;
  /** What tools ask people while they run. */
  questions: CallQuestions;
}

/** The keys that an agent comes with. Those that name a secret of the vault are put in when a model is called. */
export const keysOf = ({ providerKeys, providerKeyOwners, accountId }: AgentForTurn, bus: Bus): AgentKeys => ({
  keys: providerKeys,
  owners: providerKeyOwners,
  ...(Object.values(providerKeys).some(namesSecret)
    ? { withVault: (fetch) => vaultKeyFetch(fetch, bus, accountId) }
    : {}),
});

/** Gathers a turn's context, side by side where nothing depends on the other. Errors: NOT_FOUND, BALANCE_EXHAUSTED, BudgetExhausted, VALIDATION_ERROR for the model. */
export async function loadContext(
  { bus, sessions, serverDefault, mcp }: ContextSources,
  turn: ClaimedTurn,
): Promise<TurnContext> {
  const { agentId, accountId, conversationId, turnId } = turn;
  const call = { accountId, requestId: `turn_${turnId}`, deadline: Date.now() + 15_000 };
  const batchId = turn.messages[0]?.id ?? turnId;
  const tools: ToolContext = { bus, agentId, accountId, conversationId, turnId, batchId };
  const [agent, session] = await Promise.all([
    bus.request(getAgentForTurn, { agentId, version: turn.version }, call),
    sessions.current(turn),
  ]);
  if (agent.outputTokenBalance <= 0)
    throw new RoostError('BALANCE_EXHAUSTED', 'the agent has no output tokens left: add some to its balance');
  if (agent.budget?.isExhausted) throw new BudgetExhausted();
  const { configuration } = agent;
  const isPersistent = agent.sessionMode === 'persistent';
  const models = serverDefault.platformFor(configuration.model, agent.providerKeys);
  models.catch(() => undefined); // it fails where the model is needed, below
  const questions = new CallQuestions();
  const memoryType = configuration.memoryConfig?.type ?? 'hierarchical';
  const [rows, recent, found, remote] = await Promise.all([
    isPersistent && session.id ? sessions.context(session.id, turnId) : [],
    // A persistent session that is still empty continues the chat it was switched on in.
    isPersistent && session.id ? [] : recentMessages(bus, turn, session.since, call),
    readMemory(tools, memoryType),
    mcp.registry.targets(agent, session.mayUseServers).then((targets) => mcpTools(mcp, targets, questions)),
  ]);
  let memory = found ?? session.memory;
  const isNewSession = !isPersistent || session.id === null;
  const resumed = resumedTurn(turn, session.unfinished);
  if (memory && !resumed && !isPersistent && configuration.memoryConfig?.persistence === 'ephemeral') {
    // Left by a session whose end could not be marked.
    await wipeMemory(tools, sessions, memoryType);
    memory = '';
  } else if (memory !== session.memory) await sessions.rememberMemory(turn, memory);
  return {
    agent,
    model: { ...resolveModel(configuration.model, keysOf(agent, bus), await models), tracer: bus.tracer },
    session,
    system: [systemPrompt(agent, turn, memoryPrompt(memoryType, memory)), ...remote.notes].join('\n\n'),
    history: rows.length > 0 ? rows.map(({ message }) => message) : recent,
    rows,
    asked: newMessages(
      resumed ? { ...turn, attempt: 1, messages: resumed.batch } : turn,
      configuration.hookMessages,
      isNewSession,
      !isPersistent,
    ),
    resumed,
    conversation: { agentId, accountId, conversationId },
    memoryType,
    tools: Object.assign(tools, { learnsTrace: configuration.network?.traceContext }),
    mcpTools: remote.tools,
    gate: new PermissionGate(configuration.permissions, turn.channel, remote.origins),
    questions,
  };
}
