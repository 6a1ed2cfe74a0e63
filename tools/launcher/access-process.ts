import { RoostError } from '#lib/contracts/errors';
import { keptTrust } from './nats-trust.js';
import { serviceEnvironments } from './service-environments.js';

/** What the launcher asks for, by name. */
export const accessTasks = { keptTrust, serviceEnvironments };

export interface AccessRequest {
  task: keyof typeof accessTasks;
  input: unknown[];
}

export type AccessAnswer = { result: unknown } | { error: string; isForUser: boolean };

/**
 * A process that signs and makes what services reach PostgreSQL and NATS with, and ends: what it loads for that would
 * otherwise stay in the launcher's memory permanently.
 */
process.on('message', (message) => {
  const { task, input } = message as AccessRequest;
  const run = accessTasks[task] as (...input: unknown[]) => Promise<unknown>;
  run(...input).then(
    (result) => send({ result }),
    (error: unknown) => {
      const isForUser = error instanceof RoostError;
      const text =
        error instanceof Error ? (isForUser ? error.message : (error.stack ?? error.message)) : String(error);
      send({ error: text, isForUser });
    },
  );
});

function send(reply: AccessAnswer): void {
  process.send?.(reply);
}
