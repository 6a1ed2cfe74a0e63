import type { Bus } from '#lib/bus';

/** What every tool of a turn may use. */
export interface ToolContext {
  bus: Bus;
  accountId: string;
  agentId: string;
  conversationId: string;
  turnId: string;
  /** The same for every attempt to answer the same messages. */
  batchId: string;
  /** Whether commands learn the trace they run in, as the agent's network setting says. */
  learnsTrace?: boolean | undefined;
  /** Called with the exit code of a call's command; null when it was killed. */
  onExit?(toolCallId: string, exitCode: number | null): void;
}
