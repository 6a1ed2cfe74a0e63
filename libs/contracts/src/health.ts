import { z } from 'zod';
import { request } from './request.js';
import { wire } from './wire.js';

/** One per service, named by it: `<service>.health.check`. Answers only when the service can do its work. */
export const healthCheck = (service: string) =>
  request(`${service}.health.check`, {
    input: wire({}),
    output: wire({
      dependencies: z.record(z.string(), z.enum(['up', 'down'])),
      /** How the service does its work on this machine, where that differs from machine to machine. */
      details: z.record(z.string(), z.string()).optional(),
    }),
    timeoutMs: 2_000,
  });
