import { type AgentForTurn, deletePaths } from '#lib/contracts';
import type { Logger } from '#lib/observability';
import type { ModelMessage } from 'ai';
import type { SessionsRepository } from '../sessions/sessions.repository.js';
import { memoryPaths } from '../tools/memory.js';
import type { ToolContext } from '../tools/tool-context.js';
import { workspaceRequest } from '../tools/workspace-request.js';
import type { MemoryType } from './memory.js';

/** Ends an ephemeral memory with its session. Errors: those of the workspace; then the memory is still there. */
export async function wipeMemory(context: ToolContext, sessions: SessionsRepository, type: MemoryType): Promise<void> {
  await workspaceRequest(context, deletePaths, { agentId: context.agentId, paths: memoryPaths(type), recursive: true });
  await sessions.rememberMemory(context, '');
}

/** An ephemeral session ends with its turn, however that ends, and so does its memory if that is ephemeral too. */
export async function endEphemeralMemory(
  { agent, tools, memoryType }: { agent: AgentForTurn; tools: ToolContext; memoryType: MemoryType },
  { sessions, logger }: { sessions: SessionsRepository; logger: Logger },
  stepMessages: ModelMessage[],
): Promise<void> {
  if (agent.sessionMode !== 'ephemeral' || agent.configuration.memoryConfig?.persistence !== 'ephemeral') return;
  const hasWritten = stepMessages.some(
    ({ content }) =>
      typeof content !== 'string' &&
      content.some((part) => part.type === 'tool-call' && part.toolName === 'memory_write'),
  );
  if (!hasWritten) return;
  await wipeMemory(tools, sessions, memoryType).catch((err: unknown) =>
    logger.warn({ err, agentId: agent.agentId }, 'an ephemeral memory is wiped when the next turn begins'),
  );
}
