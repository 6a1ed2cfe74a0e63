import { ensureWorkspace, type RequestContract } from '#lib/contracts';
import { reachedNobody } from '#lib/rpc';
import type { z } from 'zod';
import type { ToolContext } from './tool-context.js';

/**
 * Asks the agent's workspace; wakes it first when nobody is there. Repeated once only when the first try reached
 * nobody, so nothing is done twice. `onSend` is called before each try with its time, and with
 * undefined when a try has reached nobody. Errors: those of the contract and of `ensureWorkspace`.
 */
export async function workspaceRequest<I extends z.ZodType, O extends z.ZodType>(
  context: ToolContext,
  contract: RequestContract<I, O>,
  input: z.output<I>,
  onSend?: (at: number | undefined) => void,
): Promise<z.output<O>> {
  const call = () => {
    onSend?.(performance.now());
    return context.bus.request(contract, input, toolCall(context, contract.timeoutMs));
  };
  try {
    return await call();
  } catch (error) {
    if (!reachedNobody(error)) throw error;
    onSend?.(undefined);
    await context.bus.request(
      ensureWorkspace,
      { agentId: context.agentId },
      toolCall(context, ensureWorkspace.timeoutMs),
    );
    return call();
  }
}

export function toolCall(context: ToolContext, timeoutMs: number) {
  return { accountId: context.accountId, requestId: `turn_${context.turnId}`, deadline: Date.now() + timeoutMs };
}
