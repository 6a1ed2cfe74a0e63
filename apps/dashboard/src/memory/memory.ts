import { type AgentDetails, NotFoundError } from '@roost-ai/sdk';
import { queryOptions } from '@tanstack/react-query';
import { roost } from '../api/roost.js';
import { filesKey } from '../files/file-content.js';

/** A memory of more topics is looked at on the screen of the files. */
const MAX_LISTED = 500;
const DIRECTORY = 'memory';

export interface MemoryFile {
  path: string;
  size: number;
  changedAt: string;
}

type Kind = 'hierarchical' | 'flat';
export const kindOfMemory = ({ configuration }: Pick<AgentDetails, 'configuration'>): Kind =>
  configuration.memory_config?.type ?? 'hierarchical';

/** The file that is always in context. */
export const mainFile = (kind: Kind): string => (kind === 'flat' ? 'MEMORY.md' : `${DIRECTORY}/index.md`);

export const memoryQuery = (agentId: string, kind: Kind) =>
  queryOptions({
    queryKey: [...filesKey(agentId), 'memory', kind],
    queryFn: ({ signal }) => filesOf(agentId, kind, signal).catch(noneYet),
  });

async function filesOf(agentId: string, kind: Kind, signal: AbortSignal): Promise<MemoryFile[]> {
  const { files } = roost.agent(agentId);
  if (kind === 'flat') {
    const { size, modified_at: changedAt } = await files.stat(mainFile(kind), { signal });
    return [{ path: mainFile(kind), size, changedAt }];
  }
  const entries = await files.list(DIRECTORY, { recursive: true }, { signal }).toArray(MAX_LISTED);
  return entries
    .filter(({ type }) => type === 'file')
    .map(({ name, size, modified_at: changedAt }) => ({ path: `${DIRECTORY}/${name}`, size, changedAt }));
}

/** The agent makes it when something is worth remembering. */
function noneYet(error: unknown): MemoryFile[] {
  if (error instanceof NotFoundError) return [];
  throw error;
}
