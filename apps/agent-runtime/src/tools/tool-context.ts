import type { BusPort } from '../bus-port.js';

/** What every tool of a turn may use. */
export interface ToolContext {
  bus: BusPort;
  accountId: string;
  agentId: string;
  conversationId: string;
  turnId: string;
}
