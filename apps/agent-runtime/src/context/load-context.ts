import { type AgentForTurn, type ClaimedTurn, getAgentForTurn, RoostError } from '#lib/contracts';
import type { ModelMessage, ToolSet } from 'ai';
import type { Bus } from '#lib/bus';
import { type PlatformModels, type ResolvedModel, resolveModel } from '../models/model-registry.js';
import type { ContextRow, Session, SessionStore } from '../sessions/session-store.js';
import { type ToolContext } from '../tools/tool-context.js';
import type { McpRegistry } from '../mcp/registry/mcp-registry.js';
import type { McpPool } from '../mcp/mcp-pool.js';
import { mcpTools } from '../mcp/mcp-tools.js';
import { memoryPrompt, type MemoryType, readMemory } from './memory.js';
import { newMessages } from './new-messages.js';
import { recentMessages } from './recent-messages.js';
import { systemPrompt } from './system-prompt.js';

export interface ContextSources {
  bus: Bus;
  sessions: SessionStore;
  platform: PlatformModels;
  mcp: { registry: McpRegistry; pool: McpPool };
}

/** All that a turn begins with. */
export interface TurnContext {
  agent: AgentForTurn;
  model: ResolvedModel;
  session: Session;
  system: string;
  /** What was said before, oldest first; rows where it comes from a persistent session. */
  history: ModelMessage[];
  rows: ContextRow[];
  asked: ModelMessage;
  memoryType: MemoryType;
  tools: ToolContext;
  mcpTools: ToolSet;
}

/** Gathers a turn's context, side by side where nothing depends on the other. Errors: NOT_FOUND, BALANCE_EXHAUSTED, VALIDATION_ERROR for the model. */
export async function loadContext(
  { bus, sessions, platform, mcp }: ContextSources,
  turn: ClaimedTurn,
): Promise<TurnContext> {
  const { agentId, accountId, conversationId, turnId } = turn;
  const call = { accountId, requestId: `turn_${turnId}`, deadline: Date.now() + 15_000 };
  const batchId = turn.messages[0]?.id ?? turnId;
  const tools: ToolContext = { bus, agentId, accountId, conversationId, turnId, batchId };
  const [agent, session] = await Promise.all([bus.request(getAgentForTurn, { agentId }, call), sessions.current(turn)]);
  if (agent.outputTokenBalance <= 0)
    throw new RoostError('BALANCE_EXHAUSTED', 'the agent has no output tokens left: add some to its balance');
  const { configuration } = agent;
  const isPersistent = agent.sessionMode === 'persistent';
  const memoryType = configuration.memoryConfig?.type ?? 'hierarchical';
  const [rows, recent, memory, remote] = await Promise.all([
    isPersistent && session.id ? sessions.context(session.id, turnId) : [],
    // A persistent session that is still empty continues the chat it was switched on in.
    isPersistent && session.id ? [] : recentMessages(bus, turn, session.since, call),
    readMemory(tools, memoryType),
    mcp.registry.targets(agent).then((targets) => mcpTools(mcp, targets)),
  ]);
  if (memory !== undefined && memory !== session.memory) await sessions.rememberMemory(turn, memory);
  const isNewSession = !isPersistent || session.id === null;
  return {
    agent,
    model: resolveModel(configuration.model, agent.providerKeys, platform),
    session,
    system: [systemPrompt(agent, turn, memoryPrompt(memoryType, memory ?? session.memory)), ...remote.notes].join(
      '\n\n',
    ),
    history: rows.length > 0 ? rows.map(({ message }) => message) : recent,
    rows,
    asked: newMessages(turn, configuration.hookMessages, isNewSession, !isPersistent),
    memoryType,
    tools,
    mcpTools: remote.tools,
  };
}
