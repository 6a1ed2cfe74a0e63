import { z } from 'zod';
import { request } from './request.js';
import { AgentId, Count, wire } from './wire.js';
import { FileType, ShownPath, FileSize, WorkspacePath } from './workspace.js';

const Failure = wire({
  code: z.string().describe('What kind of error it is: one of the API’s codes.'),
  message: z.string().describe('The same for people.'),
}).describe('Why it failed; absent when it did not.');
const Success = z.boolean().describe('Whether it was done.');
export const transferFields = {
  source: WorkspacePath.describe('What is to be copied or moved.'),
  destination: WorkspacePath.describe('Where it is to be.'),
  overwrite: z.boolean().default(false).describe('Whether what is there may be replaced.'),
};
const Transfer = wire(transferFields);
const transfers = {
  input: wire({ agentId: AgentId, operations: z.array(Transfer).min(1).max(1_000) }),
  output: wire({
    results: z
      .array(
        wire({
          source: z.string().describe('As it was given.'),
          destination: z.string().describe('As it was given.'),
          success: Success,
          error: Failure.optional(),
        }),
      )
      .describe('One per operation, in their order.'),
  }),
  timeoutMs: 300_000,
};

/** Each is independent: one that fails does not stop or undo the others. */
export const copyFiles = request('workspace.{agentId}.operations.copy', transfers);
export const moveFiles = request('workspace.{agentId}.operations.move', transfers);
export const deletePaths = request('workspace.{agentId}.operations.delete', {
  input: wire({
    agentId: AgentId,
    paths: z.array(WorkspacePath).min(1).max(1_000),
    recursive: z.boolean().default(false),
  }),
  output: wire({
    results: z
      .array(wire({ path: z.string().describe('As it was given.'), success: Success, error: Failure.optional() }))
      .describe('One per path, in their order.'),
  }),
  timeoutMs: 300_000,
});

/** Names by glob, content by RE2 syntax (linear time). Stops after five seconds: `truncated` is true then. */
export const searchFiles = request('workspace.{agentId}.search.run', {
  input: wire({
    agentId: AgentId,
    query: z.string().min(1).max(1_000),
    type: z.enum(['filename', 'content', 'both']).default('filename'),
    path: WorkspacePath.default(''),
    filePattern: z.string().max(1_000).optional(),
    caseSensitive: z.boolean().default(false),
    maxResults: z.number().int().min(1).max(1_000).default(100),
  }),
  output: wire({
    results: z
      .array(
        wire({
          path: ShownPath,
          type: FileType,
          size: FileSize,
          matches: z
            .array(wire({ line: Count.describe('The line’s number, from 1.'), text: z.string().describe('The line.') }))
            .optional()
            .describe('Of a search in content: the lines that match.'),
        }),
      )
      .describe('What was found.'),
    total: Count.describe('How many were found.'),
    truncated: z.boolean().describe('Whether there may be more: `maxResults` was reached, or five seconds were over.'),
  }),
  timeoutMs: 15_000,
});
