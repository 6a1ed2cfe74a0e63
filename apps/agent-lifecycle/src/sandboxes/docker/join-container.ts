import type { NatsConnection } from '@nats-io/transport-node';
import { setTimeout as sleep } from 'node:timers/promises';
import { answersPing } from '../daemon.js';
import type { ContainerFacts, DockerHost } from './docker-host.js';

export interface JoinInput {
  agentId: string;
  /** Of the container that was found. */
  id: string;
  host: DockerHost;
  nats: NatsConnection;
}

/** Between making a container and starting it. */
const createdPatienceMs = 5_000;
/** From its start until it answers, on a busy machine too. */
const runningPatienceMs = 15_000;

/**
 * Waits for a container that another replica of this service holds, or is just making, until it answers: true. False:
 * it is gone. One that ended is removed, and so is one that does not answer for so long that its replica must be lost.
 */
export async function joinContainer({ agentId, id, host, nats }: JoinInput): Promise<boolean> {
  const seenAt = Date.now();
  for (;;) {
    const found = await host.find(agentId);
    if (found?.Id !== id) return false;
    if (found.State.Running && (await answersPing(nats, agentId))) return true;
    if (hasEnded(found) || Date.now() - seenAt > patienceMs(found)) {
      await host.removeContainer(agentId, id);
      return false;
    }
    await sleep(50);
  }
}

function hasEnded({ State }: ContainerFacts): boolean {
  return ['exited', 'dead'].includes(State.Status);
}

function patienceMs({ State }: ContainerFacts): number {
  return State.Status === 'created' ? createdPatienceMs : runningPatienceMs;
}
