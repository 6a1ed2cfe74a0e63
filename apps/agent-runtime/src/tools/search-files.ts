import { searchFiles } from '#lib/contracts';
import { tool, zodSchema } from 'ai';
import { z } from 'zod';
import type { ToolContext } from './tool-context.js';
import type { ToolLock } from './tool-lock.js';
import { workspaceRequest } from './workspace-request.js';

const MAX_LINES = 200;

const Search = zodSchema(
  z.object({
    query: z.string().min(1).max(1_000),
    type: z.enum(['content', 'filename']).default('content'),
    path: z.string().max(4_096).default('').describe('Folder to search, default all'),
    file_pattern: z.string().max(1_000).optional().describe('Glob that file names must match, e.g. *.ts'),
    case_sensitive: z.boolean().default(false),
  }),
);

export function searchFilesTool(context: ToolContext, lock: ToolLock) {
  return tool({
    description: `Search your workspace: type "content" by a regular expression (RE2 syntax) in text files, "filename" by a glob. At most ${MAX_LINES} lines.`,
    inputSchema: Search,
    execute: ({ query, type, path, file_pattern, case_sensitive }) =>
      lock.read(async () => {
        const found = await workspaceRequest(context, searchFiles, {
          agentId: context.agentId,
          query,
          type,
          path,
          caseSensitive: case_sensitive,
          maxResults: 100,
          ...(file_pattern ? { filePattern: file_pattern } : {}),
        });
        const lines = found.results.flatMap(
          (file) => file.matches?.map(({ line, text }) => `${file.path}:${line}: ${text.slice(0, 300)}`) ?? [file.path],
        );
        if (lines.length === 0) return '[nothing found]';
        const more = found.truncated || lines.length > MAX_LINES ? ['[there is more: search more narrowly]'] : [];
        return [...lines.slice(0, MAX_LINES), ...more].join('\n');
      }),
  });
}
