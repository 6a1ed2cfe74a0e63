import { Bus } from '#lib/bus';
import { execCommand, WorkspaceUsed, workspaceUsedSubject } from '#lib/contracts';
import { Injectable } from '@nestjs/common';
import type { Subscription } from '@nats-io/transport-node';

/** The longest that a command may take: nothing keeps a workspace awake for longer without being asked again. */
const maxUseMs = execCommand.timeoutMs;

/** A daemon reports a use once a second, and each command: tens a second at most. An agent could send without end. */
const maxPerSecond = 500;
/** A report has some twenty bytes. */
const maxBytes = 1_024;

/**
 * When each workspace was last asked for something, as its daemon reports it: callers report nothing. A command counts
 * until it ends, or until the time it may take is over. Not promised across a restart: what was seen before it is unknown.
 */
@Injectable()
export class Activity {
  private readonly usedUntil = new Map<string, number>();
  private readonly counts = new Map<string, number>();
  private second = 0;
  /** Those that reported a use themselves. */
  private readonly reported = new Set<string>();
  private subscription: Subscription | undefined;

  constructor(private readonly bus: Bus) {}

  /** `onFlood` is called once a second for an agent that sends more than a daemon does. */
  start(onFlood: (agentId: string) => void): void {
    this.subscription = this.bus.connection.subscribe(workspaceUsedSubject('*'), {
      callback: (error, message) => {
        const agentId = message?.subject.split('.')[1];
        if (error || !agentId || this.isTooMuch(agentId, onFlood) || message.data.length > maxBytes) return;
        this.recordUse(agentId, message.string());
      },
    });
  }

  private isTooMuch(agentId: string, onFlood: (agentId: string) => void): boolean {
    const second = Math.floor(performance.now() / 1_000);
    if (second !== this.second) this.counts.clear();
    this.second = second;
    const count = (this.counts.get(agentId) ?? 0) + 1;
    this.counts.set(agentId, count);
    if (count === maxPerSecond + 1) onFlood(agentId);
    return count > maxPerSecond;
  }

  stop(): void {
    if (this.subscription && !this.subscription.isClosed()) this.subscription.unsubscribe();
  }

  private recordUse(agentId: string, payload: string): void {
    const { forMs, isAll } = usedFrom(payload);
    // The first use since it started is the one it was started for.
    if (isAll || !this.reported.has(agentId)) this.usedUntil.delete(agentId);
    this.touch(agentId, forMs);
    this.reported.add(agentId);
  }

  /** It was started for somebody who will ask within `graceMs`. */
  started(agentId: string, graceMs: number): void {
    this.reported.delete(agentId);
    this.touch(agentId, graceMs);
  }

  touch(agentId: string, forMs = 0): void {
    this.usedUntil.set(agentId, Math.max(this.usedUntil.get(agentId) ?? 0, Date.now() + Math.min(forMs, maxUseMs)));
  }

  forget(agentId: string): void {
    this.usedUntil.delete(agentId);
    this.reported.delete(agentId);
  }

  /** Whether the workspace reported a use: otherwise all that is known is since when nothing came. */
  hasReported(agentId: string): boolean {
    return this.reported.has(agentId);
  }

  /** Undefined when nothing was seen. */
  idleMs(agentId: string): number | undefined {
    const sinceMs = this.sinceUseMs(agentId);
    return sinceMs === undefined ? undefined : Math.max(0, sinceMs);
  }

  /** The same, negative by as much as what is under way may still take. */
  sinceUseMs(agentId: string): number | undefined {
    const until = this.usedUntil.get(agentId);
    return until === undefined ? undefined : Date.now() - until;
  }
}

function usedFrom(payload: string): { forMs: number; isAll?: boolean | undefined } {
  try {
    return WorkspaceUsed.parse(JSON.parse(payload));
  } catch {
    return { forMs: 0 }; // used all the same
  }
}
