import { listDirectory } from '#lib/contracts';
import { tool, zodSchema } from 'ai';
import { z } from 'zod';
import type { ToolContext } from './tool-context.js';
import type { ToolLock } from './tool-lock.js';
import { workspaceRequest } from './workspace-request.js';

const MAX_ENTRIES = 500;

const Listing = zodSchema(
  z.object({
    path: z.string().max(4_096).default('').describe('Folder under /workspace; empty for its root'),
    recursive: z.boolean().default(false),
  }),
);

export function listFilesTool(context: ToolContext, lock: ToolLock) {
  return tool({
    description: `List a folder of your workspace: name, size in bytes, folders with a trailing slash; at most ${MAX_ENTRIES} entries.`,
    inputSchema: Listing,
    execute: ({ path, recursive }) =>
      lock.read(async () => {
        const list = await workspaceRequest(context, listDirectory, {
          agentId: context.agentId,
          path,
          recursive,
          limit: MAX_ENTRIES,
        });
        const lines = list.entries.map((entry) =>
          entry.type === 'directory' ? `${entry.name}/` : `${entry.name}  ${entry.size}`,
        );
        if (list.nextCursor) lines.push(`[more than ${MAX_ENTRIES} entries: list a deeper folder]`);
        return lines.join('\n') || '[empty]';
      }),
  });
}
