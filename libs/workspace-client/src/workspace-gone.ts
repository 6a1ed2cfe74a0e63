import { RoostError } from '#lib/contracts';
import { reachedNobody } from '#lib/rpc';
import { setTimeout as sleep } from 'node:timers/promises';

/** How often a workspace that works on a request is asked whether it is still there. */
const LOOK_MS = 5_000;
/** After a look that found nobody: a daemon that reconnects to the bus is back by then. */
const LOOK_AGAIN_MS = 1_000;
/** Clocks of two processes may run apart by this much over a long request. */
const CLOCK_SLACK_MS = 100;

export interface WorkspaceLooks {
  /** Asks the daemon. May wake a workspace: one that was started anew shows by its uptime. */
  ping(): Promise<{ bootId: string; uptimeMs: number }>;
  /**
   * When the request was sent that is waited for, by `performance.now()`; undefined while it is not on its way, as its
   * workspace is only being woken for it.
   */
  sentAt(): number | undefined;
}

/**
 * Rejects when the workspace ended under a request: the bus reports nothing then, and the answer would be awaited for its
 * whole timeout. Within a look and a second of the workspace's end; at once where the looks wake it again.
 * Errors: AGENT_UNAVAILABLE. Never resolves; `done` ends it.
 */
export async function workspaceGone(
  { ping, sentAt }: WorkspaceLooks,
  answer: Promise<unknown>,
  done: AbortSignal,
  everyMs = LOOK_MS,
): Promise<never> {
  const finished = answer.then(
    () => true,
    () => true,
  );
  let bootId: string | undefined;
  let misses = 0;
  for (;;) {
    // Node's own timer takes its listener away again; ours would add one to the signal for every look.
    const pause = sleep(misses > 0 ? Math.min(everyMs, LOOK_AGAIN_MS) : everyMs, false, { signal: done, ref: false });
    const isOver = await Promise.race([finished, pause.catch(() => true)]);
    if (isOver) return new Promise<never>(() => undefined);
    const sent = sentAt();
    if (sent === undefined) continue;
    const elapsedMs = performance.now() - sent;
    const look = await ping().catch((error: unknown) => (isAway(error) ? AWAY : SLOW));
    // It was sent again meanwhile, or will be: the look shows nothing of that.
    if (sentAt() !== sent) continue;
    misses = look === AWAY ? misses + 1 : 0;
    if (misses > 1) throw interrupted();
    // One that is only slow to answer works on.
    if (look === AWAY || look === SLOW) continue;
    const isYounger = look.uptimeMs + CLOCK_SLACK_MS < elapsedMs;
    if (isYounger || (bootId !== undefined && look.bootId !== bootId)) throw interrupted();
    bootId = look.bootId;
  }
}

const AWAY = 'away';
const SLOW = 'slow';

function interrupted(): RoostError {
  return new RoostError(
    'AGENT_UNAVAILABLE',
    'the workspace ended while it worked on this: it was interrupted and may have done part of its work',
    [{ reason: 'workspace_restarted' }],
    2,
  );
}

function isAway(error: unknown): boolean {
  return reachedNobody(error) || (error instanceof RoostError && error.code === 'AGENT_UNAVAILABLE');
}
