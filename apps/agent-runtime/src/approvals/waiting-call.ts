import type { SuspendedCall } from '#lib/contracts';

/** A question that was answered, as canonical JSON, and its answer. */
export interface RecordedAnswer {
  question: string;
  answer: unknown;
}

/** A call of a finished step that waits for a person: it has no result. */
export interface WaitingCall {
  toolCallId: string;
  toolName: string;
  /** As the model gave it. */
  input: unknown;
  /** As the person is shown it. */
  ask: SuspendedCall;
  /** Of a call that waits for an answer to what its tool asked: its arguments as JSON by the tool's own names. */
  arguments?: string;
  /** What was answered to it before, for when it is repeated. */
  answers?: RecordedAnswer[];
}
