import { Bus } from '#lib/bus';
import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';

/** Core NATS hint that a turn of the agent ended, so that replicas wake those who wait for its replies. */
const endedSubject = (agentId: string) => `messaging.ended.${agentId}`;

/** Those who wait for a reply, by agent: woken when one of its turns ended, in whichever replica. */
@Injectable()
export class ReplyWaiters implements OnApplicationBootstrap {
  private readonly waiting = new Map<string, Set<() => void>>();

  constructor(private readonly bus: Bus) {}

  onApplicationBootstrap(): void {
    this.bus.connection.subscribe(endedSubject('*'), {
      callback: (error, message) => {
        if (!error) this.wake(message.subject.split('.').at(-1) ?? '');
      },
    });
  }

  /** Says that a turn of the agent ended. */
  ended(agentId: string): void {
    this.wake(agentId);
    this.bus.signal(endedSubject(agentId));
  }

  /** Resolves at the next end of a turn, or after `timeoutMs`. Register before looking, so that no end is missed. */
  next(agentId: string, timeoutMs: number): { ended: Promise<void>; cancel: () => void } {
    const waiters = this.waiting.get(agentId) ?? new Set();
    this.waiting.set(agentId, waiters);
    let wake: () => void = () => undefined;
    const ended = new Promise<void>((resolve) => {
      wake = resolve;
    });
    const timer = setTimeout(wake, timeoutMs);
    waiters.add(wake);
    const cancel = () => {
      clearTimeout(timer);
      waiters.delete(wake);
      if (waiters.size === 0) this.waiting.delete(agentId);
    };
    return { ended, cancel };
  }

  private wake(agentId: string): void {
    for (const wake of this.waiting.get(agentId) ?? []) wake();
  }
}
