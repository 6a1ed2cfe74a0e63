import { tool, zodSchema } from 'ai';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';

const Waiting = zodSchema(z.object({ seconds: z.number().min(1).max(3_600) }));

/** Waits without using tokens; ends early when a message comes or the turn is stopped. `waiting` gives how many messages wait. */
export function waitTool(waiting: () => number) {
  return tool({
    description: 'Wait, e.g. for something slow to finish. Ends early when a new message comes.',
    inputSchema: Waiting,
    execute: async ({ seconds }, { abortSignal }) => {
      const startedAt = performance.now();
      const atStart = waiting();
      while (performance.now() - startedAt < seconds * 1_000) {
        await sleep(Math.min(1_000, seconds * 1_000 - (performance.now() - startedAt)), undefined, {
          ...(abortSignal ? { signal: abortSignal } : {}),
        });
        if (waiting() > atStart)
          return `A new message came after ${Math.round((performance.now() - startedAt) / 1_000)} s.`;
      }
      return `Waited ${seconds} s.`;
    },
  });
}
