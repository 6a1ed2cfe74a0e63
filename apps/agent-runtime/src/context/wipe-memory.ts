import { deletePaths } from '#lib/contracts';
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
