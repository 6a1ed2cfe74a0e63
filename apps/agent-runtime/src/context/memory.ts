import { type AgentConfiguration, readFile, RoostError } from '#lib/contracts';
import { reachedNobody } from '#lib/rpc';
import type { ToolContext } from '../tools/tool-context.js';
import { toolCall } from '../tools/workspace-request.js';

export type MemoryType = NonNullable<NonNullable<AgentConfiguration['memoryConfig']>['type']>;

/** The file that is always in context: the whole memory, or the index of its topics. */
export const memoryFile = (type: MemoryType) => (type === 'flat' ? 'MEMORY.md' : 'memory/index.md');

const MAX_CHARS = 20_000;

/**
 * What the agent remembers, as it is now if the workspace is awake, else as it was last seen: a chat must not
 * wake a workspace. `undefined` when the workspace sleeps.
 */
export async function readMemory(context: ToolContext, type: MemoryType): Promise<string | undefined> {
  try {
    const file = await context.bus.request(
      readFile,
      { agentId: context.agentId, path: memoryFile(type), encoding: 'base64', offset: 0, length: MAX_CHARS },
      toolCall(context, 2_000),
    );
    return new TextDecoder().decode(Buffer.from(file.content, 'base64'));
  } catch (error) {
    if (error instanceof RoostError && error.code === 'NOT_FOUND') return '';
    if (reachedNobody(error) || (error instanceof RoostError && error.code === 'SERVICE_UNAVAILABLE')) return undefined;
    throw error;
  }
}

/** The memory's part of the system prompt. */
export function memoryPrompt(type: MemoryType, content: string): string {
  const how =
    type === 'flat'
      ? 'Your long-term memory is the file MEMORY.md, shown below. Change it with memory_write.'
      : 'Your long-term memory is kept by topic; the index is shown below. Read a topic with memory_read, keep what matters later with memory_write.';
  return `${how}\n<memory>\n${content.trim() || '(empty)'}\n</memory>`;
}
