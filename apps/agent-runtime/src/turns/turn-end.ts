/** Why a turn is made to stop before the model has finished. */
export type StopReason = 'interrupted' | 'stopped' | 'lease-lost' | 'timeout' | 'shutdown';

/** What the run says of it. */
export const STOPPED_BECAUSE: Record<StopReason, { code: string; message: string }> = {
  interrupted: { code: 'INTERRUPTED', message: 'a newer message took its place, or it was cancelled' },
  stopped: { code: 'AGENT_STOPPED', message: 'the agent was stopped, or went to error' },
  'lease-lost': { code: 'LEASE_LOST', message: 'its worker could not be reached in time: another one goes on' },
  timeout: { code: 'TURN_TIMEOUT', message: 'the turn took longer than the agent’s timeout_seconds' },
  shutdown: { code: 'WORKER_STOPPED', message: 'its worker was stopped: another one goes on' },
};

/** What a turn's AbortController is aborted with. */
export class TurnStopped extends Error {
  constructor(readonly reason: StopReason) {
    super(`the turn was stopped: ${reason}`);
  }
}
