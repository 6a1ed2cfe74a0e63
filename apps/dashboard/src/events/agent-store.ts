import type { AgentEvent, Message } from '@roost-ai/sdk';
import { type AgentState, EMPTY_STATE } from './agent-state.js';
import { addHistory, reduceEvent } from './reduce-events.js';

export type Connection = 'connecting' | 'open' | 'lost';
export interface StoreState {
  agent: AgentState;
  connection: Connection;
}

/**
 * One agent's state for all that show it. Events are taken in at once and shown once a frame: a model writes more often
 * than a screen is drawn.
 */
export class AgentStore {
  private state: StoreState = { agent: EMPTY_STATE, connection: 'connecting' };
  private waiting: AgentEvent[] = [];
  private frame: number | undefined;
  private readonly listeners = new Set<() => void>();

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };
  readonly get = (): StoreState => this.state;

  add(event: AgentEvent): void {
    this.waiting.push(event);
    // A hidden page draws nothing.
    if (document.hidden) this.flush();
    else this.frame ??= requestAnimationFrame(() => this.flush());
  }

  addHistory(messages: readonly Message[]): void {
    this.flush();
    this.set({ agent: addHistory(this.state.agent, messages) });
  }

  setConnection(connection: Connection): void {
    this.flush();
    this.set({ connection });
  }

  private flush(): void {
    if (this.frame !== undefined) cancelAnimationFrame(this.frame);
    this.frame = undefined;
    const events = this.waiting.splice(0);
    if (events.length > 0) this.set({ agent: events.reduce(reduceEvent, this.state.agent) });
  }

  private set(change: Partial<StoreState>): void {
    this.state = { ...this.state, ...change };
    this.listeners.forEach((listener) => listener());
  }
}
