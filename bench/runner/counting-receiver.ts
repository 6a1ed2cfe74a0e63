import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export interface CountingReceiver {
  url: string;
  /** Resolves when this many more requests were answered. One count at a time. */
  count(requests: number): Promise<void>;
  close(): void;
}

/** Starts `webhook-receiver.ts`, which counts what it gets: asking a database how far one is costs what is measured. */
export async function startCountingReceiver(): Promise<CountingReceiver> {
  const receiver = fork(fileURLToPath(new URL('./webhook-receiver.js', import.meta.url)));
  const [port] = (await once(receiver, 'message')) as [number];
  return {
    url: `http://127.0.0.1:${port}/hook`,
    async count(requests) {
      const all = once(receiver, 'message');
      receiver.send(requests);
      await all;
    },
    close: () => receiver.disconnect(),
  };
}
