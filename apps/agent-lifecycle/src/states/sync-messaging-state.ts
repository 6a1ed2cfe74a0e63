import { type Bus, currentCall, ownCall } from '#lib/bus';
import { type AgentState, syncAgent } from '#lib/contracts';

const PATIENCE_MS = 1_000;

/**
 * Tells messaging of a committed change, so that the user's next request already sees it and a running turn of a
 * stopped agent ends. Best effort: the event follows and says the same.
 */
export async function syncMessagingState(bus: Bus, state: AgentState): Promise<void> {
  const call = currentCall() ?? ownCall('req_lifecycle_sync');
  const context = { ...call, deadline: Math.min(call.deadline, Date.now() + PATIENCE_MS) };
  await bus.request(syncAgent, state, context).catch(() => undefined);
}
