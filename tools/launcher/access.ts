import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { RoostError } from '#lib/contracts/errors';
import { processFlags } from './process-flags.js';
import type { AccessAnswer, AccessRequest, accessTasks } from './access-process.js';

type Tasks = typeof accessTasks;

export interface Access {
  /** One at a time. Errors: those of the task. */
  ask<T extends keyof Tasks>(task: T, ...input: Parameters<Tasks[T]>): Promise<Awaited<ReturnType<Tasks[T]>>>;
  end(): void;
}

/** Starts the process that makes credentials; it loads its code while the servers start. */
export function startAccess(): Access {
  const child = fork(fileURLToPath(new URL('./access-process.js', import.meta.url)), {
    execArgv: processFlags,
  });
  const ended = new Promise<never>((_, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) =>
      reject(new Error(`the process that makes credentials ended (${signal ?? `exit code ${code ?? 'unknown'}`})`)),
    );
  });
  ended.catch(() => undefined);
  return {
    async ask(task, ...input) {
      const request: AccessRequest = { task, input };
      child.send(request, () => undefined);
      const [reply] = (await Promise.race([once(child, 'message'), ended])) as [AccessAnswer];
      if ('result' in reply) return reply.result as never;
      throw reply.isForUser ? new RoostError('SERVICE_UNAVAILABLE', reply.error) : new Error(reply.error);
    },
    end: () => void child.kill('SIGKILL'),
  };
}
