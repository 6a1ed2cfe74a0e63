import { Bus } from '#lib/bus';
import { LiveEvent, liveSubject, recordedSubject } from '#lib/contracts';
import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import type { Subscription } from '@nats-io/transport-node';
import { z } from 'zod';

/** What a follower is notified of. Hints only: any of them may be missing. */
export interface AgentListener {
  /** A durable event of the agent is there. */
  onHint(): void;
  /** `bytes`: what the event took on the bus. */
  onLive(event: LiveEvent, wire: unknown, bytes: number): void;
}

const Concerned = z.object({ agent_id: z.string() });

/** Listens on the bus once for all open streams: what thousands of them follow arrives and is read one time. */
@Injectable()
export class AgentFeed implements OnApplicationBootstrap {
  private readonly listeners = new Map<string, Set<AgentListener>>();
  private readonly subscriptions = new Map<string, Subscription[]>();

  constructor(private readonly bus: Bus) {}

  onApplicationBootstrap(): void {
    this.bus.connection.subscribe('events.messaging.>', {
      callback: (error, message) => {
        if (error || this.listeners.size === 0) return;
        const concerned = Concerned.safeParse(message.json());
        if (concerned.success) this.notify(concerned.data.agent_id, (listener) => listener.onHint());
      },
    });
    void this.watchReconnects();
  }

  /** Hints that passed while the bus was away are lost: everybody checks. */
  private async watchReconnects(): Promise<void> {
    for await (const { type } of this.bus.connection.status()) {
      if (type !== 'reconnect') continue;
      for (const agentId of this.listeners.keys()) this.notify(agentId, (listener) => listener.onHint());
    }
  }

  /** Gives the function that ends it. */
  listen(agentId: string, listener: AgentListener): () => void {
    const others = this.listeners.get(agentId) ?? new Set();
    this.listeners.set(agentId, others.add(listener));
    if (!this.subscriptions.has(agentId)) this.subscriptions.set(agentId, this.subscribe(agentId));
    return () => {
      others.delete(listener);
      if (others.size > 0 || this.listeners.get(agentId) !== others) return;
      this.listeners.delete(agentId);
      for (const subscription of this.subscriptions.get(agentId) ?? []) subscription.unsubscribe();
      this.subscriptions.delete(agentId);
    };
  }

  private subscribe(agentId: string): Subscription[] {
    const recorded = this.bus.connection.subscribe(recordedSubject(agentId), {
      callback: (error) => {
        if (!error) this.notify(agentId, (listener) => listener.onHint());
      },
    });
    const live = this.bus.connection.subscribe(liveSubject(agentId), {
      callback: (error, message) => {
        if (error) return;
        const wire = message.json();
        const event = LiveEvent.safeParse(wire);
        if (event.success) this.notify(agentId, (listener) => listener.onLive(event.data, wire, message.data.length));
      },
    });
    return [recorded, live];
  }

  private notify(agentId: string, call: (listener: AgentListener) => void): void {
    for (const listener of this.listeners.get(agentId) ?? []) call(listener);
  }
}
