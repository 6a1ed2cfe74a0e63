import { cancelExec, execCommand } from '#lib/contracts';
import { reachedNobody } from '#lib/rpc';
import { requestWatched } from '#lib/workspace-client';
import { tool, zodSchema } from 'ai';
import { z } from 'zod';
import { capText } from '../mcp/tool-result.js';
import type { ToolContext } from './tool-context.js';
import type { ToolLock } from './tool-lock.js';
import { toolCall } from './workspace-request.js';

const DEFAULT_SECONDS = 120;
const MAX_SECONDS = 3_600;
const CANCEL_TRIES = 5;
const MAX_OUTPUT_BYTES = 30_000;
/** The workspace keeps to it; one that was taken over need not. The margin is for its word on what was left out. */
const MAX_OUTPUT_CHARS = MAX_OUTPUT_BYTES + 200;

const Command = zodSchema(
  z.object({
    command: z.string().min(1).max(100_000).describe('The command line'),
    timeout_seconds: z
      .number()
      .int()
      .min(1)
      .max(MAX_SECONDS)
      .optional()
      .describe(`Default ${DEFAULT_SECONDS}, at most ${MAX_SECONDS}`),
  }),
);

/** Runs a shell command in the sandbox. An abort kills its whole process tree there. */
export function bashTool(context: ToolContext, lock: ToolLock) {
  return tool({
    description: `Run a shell command in your workspace (bash, working directory /workspace). Output beyond 30,000 bytes loses its middle. Commands are killed after timeout_seconds (default ${DEFAULT_SECONDS}).`,
    inputSchema: Command,
    execute: ({ command, timeout_seconds }, { toolCallId, abortSignal }) =>
      lock.change(() => run(context, command, (timeout_seconds ?? DEFAULT_SECONDS) * 1_000, toolCallId, abortSignal)),
  });
}

/** Names a call's command in the workspace. */
export const execIdOf = (turnId: string, toolCallId: string) => `${turnId}-${toolCallId}`.slice(0, 100);

async function run(
  context: ToolContext,
  command: string,
  timeoutMs: number,
  toolCallId: string,
  signal: AbortSignal | undefined,
): Promise<string> {
  signal?.throwIfAborted();
  const execId = execIdOf(context.turnId, toolCallId);
  const { agentId, learnsTrace } = context;
  const input = {
    ...{ agentId, execId, command, timeoutMs, maxOutputBytes: MAX_OUTPUT_BYTES },
    // Only where it is wanted: a daemon of the version before knows no such field.
    ...(learnsTrace ? { learnsTrace } : {}),
  };
  try {
    // The answer may take as long as the command; the margin is for starting and killing it.
    const contract = { ...execCommand, timeoutMs: timeoutMs + 15_000 };
    const contextOf = (requestMs: number) => toolCall(context, requestMs);
    const result = await requestWatched(context.bus, contract, input, { contextOf, signal });
    context.onExit?.(toolCallId, result.exitCode);
    return describe(result, timeoutMs);
  } catch (error) {
    if (signal?.aborted) await cancelCommand(context, execId);
    throw error;
  }
}

/** Asked again when a busy workspace does not answer in time: a command that nobody waits for would run on unseen. */
async function cancelCommand(context: ToolContext, execId: string): Promise<void> {
  for (let tries = 1; tries <= CANCEL_TRIES; tries += 1) {
    try {
      const call = toolCall(context, cancelExec.timeoutMs);
      await context.bus.request(cancelExec, { agentId: context.agentId, execId }, call);
      return;
    } catch (error) {
      if (reachedNobody(error)) return; // with its workspace the command is gone too
    }
  }
}

function describe(result: z.output<typeof execCommand.output>, timeoutMs: number): string {
  const end = result.timedOut
    ? `[killed after ${timeoutMs / 1_000} s]`
    : result.cancelled
      ? '[cancelled]'
      : result.signal
        ? `[killed by ${result.signal}]`
        : result.exitCode === 0
          ? ''
          : `[exit code ${result.exitCode}]`;
  return (
    [
      capText(result.stdout, MAX_OUTPUT_CHARS),
      result.stderr && `[stderr]\n${capText(result.stderr, MAX_OUTPUT_CHARS)}`,
      end,
    ]
      .filter(Boolean)
      .join('\n') || '[no output]'
  );
}
