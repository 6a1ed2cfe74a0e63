/** Why a turn is made to stop before the model has finished. */
export type StopReason = 'interrupted' | 'stopped' | 'lease-lost' | 'timeout' | 'shutdown';

/** What a turn's AbortController is aborted with. */
export class TurnStopped extends Error {
  constructor(readonly reason: StopReason) {
    super(`the turn was stopped: ${reason}`);
  }
}
