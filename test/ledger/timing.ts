/** How long a worker's turn is its own: short, so that a lost one is noticed soon. */
export const LEASE_MS = 3_000;
/** How long a model takes for an answer. */
export const ANSWER_MS = 300;
/** How long a model may say nothing. */
export const SILENCE_SECONDS = 3;
/** How long a frozen process sleeps: its lease is over by then. */
export const FREEZE_MS = 2.5 * LEASE_MS;
/** How long an accepted message may wait for its reply. */
export const STUCK_MS = 60_000;
/** How long everything has to settle after the last fault. */
export const FINISH_MS = 150_000;
