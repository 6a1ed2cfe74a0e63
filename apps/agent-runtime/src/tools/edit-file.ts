import { readFile, RoostError, writeFile } from '#lib/contracts';
import { tool, zodSchema } from 'ai';
import { z } from 'zod';
import type { ToolContext } from './tool-context.js';
import type { ToolLock } from './tool-lock.js';
import { workspaceRequest } from './workspace-request.js';

const MAX_BYTES = 1_000_000;

const Edit = zodSchema(
  z.object({
    path: z.string().min(1).max(4_096).describe('Path under /workspace'),
    old_text: z.string().min(1).max(200_000).describe('The passage as it is now, exactly, white space included'),
    new_text: z.string().max(200_000).describe('What to put in its place'),
    replace_all: z.boolean().default(false),
  }),
);

export function editFileTool(context: ToolContext, lock: ToolLock) {
  return tool({
    description:
      'Replace a passage of a text file of your workspace. old_text must occur exactly once, unless replace_all is true.',
    inputSchema: Edit,
    execute: ({ path, old_text, new_text, replace_all }) =>
      lock.change(async () => {
        const { agentId } = context;
        const file = await workspaceRequest(context, readFile, { agentId, path, encoding: 'utf-8' });
        if (file.size > MAX_BYTES)
          throw new RoostError(
            'PAYLOAD_TOO_LARGE',
            `${path} is larger than ${MAX_BYTES} bytes: edit it with a command`,
          );
        const count = file.content.split(old_text).length - 1;
        if (count === 0)
          throw new RoostError(
            'VALIDATION_ERROR',
            `old_text does not occur in ${path}: read the file and copy the passage exactly`,
          );
        if (count > 1 && !replace_all)
          throw new RoostError(
            'VALIDATION_ERROR',
            `old_text occurs ${count} times in ${path}: take more of its surroundings, or set replace_all`,
          );
        const content = file.content.split(old_text).join(new_text);
        // The etag: a command that changed the file meanwhile must not be undone.
        await workspaceRequest(context, writeFile, {
          agentId,
          path,
          content,
          encoding: 'utf-8',
          overwrite: true,
          mustExist: true,
          ifMatch: file.etag,
        });
        return `Replaced ${count} ${count === 1 ? 'passage' : 'passages'} in ${path}`;
      }),
  });
}
