import { readFile, RoostError } from '#lib/contracts';
import { tool, zodSchema } from 'ai';
import { z } from 'zod';
import type { ToolContext } from './tool-context.js';
import type { ToolLock } from './tool-lock.js';
import { workspaceRequest } from './workspace-request.js';

const MAX_BYTES = 60_000;

const Part = zodSchema(
  z.object({
    path: z.string().min(1).max(4_096).describe('Path under /workspace'),
    offset: z.number().int().min(0).optional().describe('First byte, default 0'),
    length: z.number().int().min(1).max(MAX_BYTES).optional().describe('How many bytes'),
  }),
);

export function readFileTool(context: ToolContext, lock: ToolLock) {
  return tool({
    description: `Read a text file of your workspace, at most ${MAX_BYTES} bytes at once; use offset to go on.`,
    inputSchema: Part,
    execute: ({ path, offset = 0, length = MAX_BYTES }) =>
      lock.read(async () => {
        const file = await workspaceRequest(context, readFile, {
          agentId: context.agentId,
          path,
          encoding: 'base64',
          offset,
          length,
        });
        const bytes = Buffer.from(file.content, 'base64').subarray(0, length);
        const text = decode(bytes, path);
        const end = offset + bytes.length;
        return end < file.size
          ? `${text}\n[bytes ${offset} to ${end} of ${file.size}; go on with offset ${end}]`
          : text;
      }),
  });
}

/** A window may cut a character at either end; anything else that is not UTF-8 is not text. */
function decode(bytes: Buffer, path: string): string {
  const text = new TextDecoder('utf-8').decode(bytes);
  if (text.slice(1, -1).includes('\uFFFD') || bytes.includes(0)) {
    throw new RoostError('VALIDATION_ERROR', `${path} is not text: look at it with a command, e.g. file or xxd`);
  }
  return text;
}
