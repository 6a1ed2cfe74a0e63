import type { AgentStatus, Message } from '@roost-ai/sdk';

/** A piece of what an agent does in a turn, in the order in which it was sent. */
export type TurnPart = { kind: 'text'; text: string } | ToolPart;

export interface ToolPart {
  kind: 'tool';
  callId: string;
  name: string;
  input: unknown;
  /** Undefined while the tool runs. */
  output: string | undefined;
  isError: boolean;
}

/** `suspended`: it waits for a person's decision; another turn then goes on with its messages. */
export type TurnStatus = 'running' | 'completed' | 'failed' | 'interrupted' | 'suspended';

/** One run of the model over a batch of messages, as far as its events were seen. */
export interface Turn {
  id: string;
  /** The batch, oldest first; of a turn that was met in the middle, the one message that its deltas name. */
  messageIds: string[];
  attempt: number;
  status: TurnStatus;
  parts: TurnPart[];
  /** Of the newest delta; deltas that are not newer came before. */
  lastSeq: number;
  error?: { code: string; message: string };
}

/** Everything that the event stream and the history say of one agent, whatever order they came in. */
export interface AgentState {
  messages: ReadonlyMap<string, Message>;
  turns: ReadonlyMap<string, Turn>;
  /** The newest status with its revision; undefined until an event states one. */
  status?: { value: AgentStatus; reason: string | null; isExhausted: boolean; revision: number };
  isDeleted: boolean;
  /** Events may have been missed: what was loaded has to be loaded again. */
  gaps: number;
}

export const EMPTY_STATE: AgentState = { messages: new Map(), turns: new Map(), isDeleted: false, gaps: 0 };
