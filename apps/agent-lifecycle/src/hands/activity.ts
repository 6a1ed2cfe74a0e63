import type { Bus } from '#lib/bus';
import { execCommand, WorkspaceUsed, workspaceUsedSubject } from '#lib/contracts';
import type { Subscription } from '@nats-io/transport-node';

/** The longest that a command may take: nothing keeps a workspace awake for longer without being asked again. */
const maxUseMs = execCommand.timeoutMs;

/**
 * When each workspace was last asked for something, as its daemon says: nobody has to report what he asks. A command
 * counts until the time it may take is over. Not promised across a restart: what was seen before it is unknown.
 */
export class Activity {
  private readonly usedUntil = new Map<string, number>();
  private subscription: Subscription | undefined;

  constructor(private readonly bus: Bus) {}

  start(): void {
    this.subscription = this.bus.connection.subscribe(workspaceUsedSubject('*'), {
      callback: (error, message) => {
        const agentId = message?.subject.split('.')[1];
        if (error || !agentId) return;
        this.touch(agentId, durationOf(message.string()));
      },
    });
  }

  stop(): void {
    if (this.subscription && !this.subscription.isClosed()) this.subscription.unsubscribe();
  }

  touch(agentId: string, forMs = 0): void {
    this.usedUntil.set(agentId, Math.max(this.usedUntil.get(agentId) ?? 0, Date.now() + Math.min(forMs, maxUseMs)));
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

function durationOf(payload: string): number {
  try {
    return WorkspaceUsed.parse(JSON.parse(payload)).forMs;
  } catch {
    return 0; // used all the same
  }
}
