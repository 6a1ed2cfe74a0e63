import type { Bus } from '#lib/bus';
import { accountOf, type CallContext } from '#lib/call-context';
import { getAgentState, RoostError } from '#lib/contracts';

/** Errors: NOT_FOUND, also for another account's agent. */
export async function assertOwnAgent(bus: Bus, context: CallContext, agentId: string): Promise<void> {
  const { accountId } = await bus.request(getAgentState, { agentId });
  if (accountId !== accountOf(context)) throw new RoostError('NOT_FOUND', 'there is no such agent');
}
