import type { Bus } from '#lib/bus';
import { execCommand } from '#lib/contracts';
import type { Subscription } from '@nats-io/transport-node';

/** Requests to daemons have a subject of four names; pings have three, what daemons publish has five or more. */
const REQUESTS = 'workspace.*.*.*';

/**
 * When each workspace was last asked for something, seen on the bus: nobody has to report what he asks. A command
 * counts until the time it may take is over. Not promised across a restart: what was seen before it is unknown.
 */
export class Activity {
  private readonly usedUntil = new Map<string, number>();
  private subscription: Subscription | undefined;

  constructor(private readonly bus: Bus) {}

  start(): void {
    this.subscription = this.bus.connection.subscribe(REQUESTS, {
      callback: (error, message) => {
        const agentId = message?.subject.split('.')[1];
        if (error || !agentId) return;
        this.touch(agentId, message.subject.endsWith('.exec.run') ? timeoutOf(message.string()) : 0);
      },
    });
  }

  stop(): void {
    if (this.subscription && !this.subscription.isClosed()) this.subscription.unsubscribe();
  }

  touch(agentId: string, forMs = 0): void {
    this.usedUntil.set(agentId, Math.max(this.usedUntil.get(agentId) ?? 0, Date.now() + forMs));
  }

  forget(agentId: string): void {
    this.usedUntil.delete(agentId);
  }

  /** Undefined when nothing was seen. */
  idleMs(agentId: string): number | undefined {
    const until = this.usedUntil.get(agentId);
    return until === undefined ? undefined : Math.max(0, Date.now() - until);
  }
}

function timeoutOf(payload: string): number {
  try {
    return execCommand.input.parse(JSON.parse(payload)).timeoutMs;
  } catch {
    return 0; // the daemon refuses it
  }
}
