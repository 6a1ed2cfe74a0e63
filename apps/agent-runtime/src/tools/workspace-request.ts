import type { RequestContract } from '#lib/contracts';
import { requestWorkspace } from '#lib/workspace-client';
import type { z } from 'zod';
import type { ToolContext } from './tool-context.js';

/**
 * Sends a request to the workspace of the turn's agent and wakes it if it sleeps.
 * Errors: those of the contract and of `ensureWorkspace`.
 */
export function workspaceRequest<I extends z.ZodType, O extends z.ZodType>(
  context: ToolContext,
  contract: RequestContract<I, O>,
  input: z.output<I> & { agentId: string },
): Promise<z.output<O>> {
  return requestWorkspace(context.bus, contract, input, { contextOf: (timeoutMs) => toolCall(context, timeoutMs) });
}

export function toolCall(context: ToolContext, timeoutMs: number) {
  return {
    accountId: context.accountId,
    requestId: `turn_${context.turnId}`,
    actor: { type: 'agent', id: context.agentId } as const,
    deadline: Date.now() + timeoutMs,
  };
}
