import { ownCall, requestOverNats } from '#lib/bus/rpc';
import { pingWorkspace } from '#lib/contracts';
import type { NatsConnection } from '@nats-io/transport-node';
import { randomUUID } from 'node:crypto';

/** Whether an agent's workspace is awake: its daemon answers over the bus. */
export async function answersPing(nats: NatsConnection, agentId: string): Promise<boolean> {
  try {
    const call = ownCall(`ping_${randomUUID()}`, pingWorkspace.timeoutMs);
    await requestOverNats(nats, pingWorkspace, { agentId }, call);
    return true;
  } catch {
    return false; // nobody there (yet)
  }
}
