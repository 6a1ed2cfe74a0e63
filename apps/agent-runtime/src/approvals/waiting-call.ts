import type { SuspendedCall } from '#lib/contracts';

/** A call of a finished step that waits for a person: it has no result. */
export interface WaitingCall {
  toolCallId: string;
  toolName: string;
  /** As the model gave it. */
  input: unknown;
  /** As the person is shown it. */
  ask: SuspendedCall;
}
