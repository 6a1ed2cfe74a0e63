import { writeFile } from '#lib/contracts';
import { tool, zodSchema } from 'ai';
import { z } from 'zod';
import type { ToolContext } from './tool-context.js';
import type { ToolLock } from './tool-lock.js';
import { workspaceRequest } from './workspace-request.js';

const WholeFile = zodSchema(
  z.object({
    path: z.string().min(1).max(4_096).describe('Path under /workspace'),
    content: z.string().max(1_000_000).describe('The whole content'),
  }),
);

export function writeFileTool(context: ToolContext, lock: ToolLock) {
  return tool({
    description: 'Write a text file of your workspace, replacing what was there. Missing folders are made.',
    inputSchema: WholeFile,
    execute: ({ path, content }) =>
      lock.change(async () => {
        const written = await workspaceRequest(context, writeFile, {
          agentId: context.agentId,
          path,
          content,
          encoding: 'utf-8',
          overwrite: true,
          mustExist: false,
        });
        return `Wrote ${written.size} bytes to ${written.path}`;
      }),
  });
}
