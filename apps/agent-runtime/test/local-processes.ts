import {
  readProcess,
  type RequestContract,
  RoostError,
  startProcess,
  stopProcess,
  subjectOf,
  writeProcess,
} from '#lib/contracts';
import { type Handler, serve } from '#lib/rpc';
import type { NatsConnection } from '@nats-io/transport-node';
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { z } from 'zod';

/** The process part of a workspace, with programs of the test run as plain children: only for programs we trust. */
export function serveLocalProcesses(connection: NatsConnection, agentId: string): () => void {
  const running = new Map<
    string,
    { child: ChildProcessWithoutNullStreams; output: Buffer; start: number; stderr: string }
  >();
  const get = (id: string) => {
    const found = running.get(id);
    if (!found) throw new RoostError('NOT_FOUND', 'there is no such process');
    return found;
  };
  const on = <I extends z.ZodType, O extends z.ZodType>(contract: RequestContract<I, O>, handle: Handler<I, O>) =>
    serve(connection, contract, subjectOf(contract, { agentId }), handle, (error) => console.error(error));
  on(startProcess, ({ processId, command, args, env }) => {
    const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: 'pipe' });
    const entry = { child, output: Buffer.alloc(0), start: 0, stderr: '' };
    child.stdout.on('data', (chunk: Buffer) => (entry.output = Buffer.concat([entry.output, chunk])));
    child.stderr.on('data', (chunk: Buffer) => (entry.stderr += chunk.toString()));
    child.on('error', (error) => (entry.stderr += error.message));
    child.stdin.on('error', () => undefined);
    running.set(processId, entry);
    return { started: true };
  });
  on(writeProcess, ({ processId, at, data }) => {
    const bytes = Buffer.from(data, 'base64');
    get(processId).child.stdin.write(bytes);
    return { written: at + bytes.length };
  });
  on(readProcess, async ({ processId, from }) => {
    const entry = get(processId);
    const hasEnded = () => entry.child.exitCode !== null || entry.child.pid === undefined;
    if (entry.output.length + entry.start <= from && !hasEnded())
      await Promise.race([
        once(entry.child.stdout, 'data'),
        once(entry.child, 'exit'),
        new Promise((resolve) => setTimeout(resolve, 5_000)),
      ]);
    entry.output = entry.output.subarray(from - entry.start);
    entry.start = from;
    return {
      data: entry.output.toString('base64'),
      hasEnded: hasEnded(),
      exitCode: entry.child.exitCode,
      stderrTail: entry.stderr,
    };
  });
  on(stopProcess, ({ processId }) => {
    const found = running.get(processId);
    found?.child.kill('SIGKILL');
    return { stopped: running.delete(processId), stderrTail: found?.stderr ?? '' };
  });
  return () => running.forEach(({ child }) => child.kill('SIGKILL'));
}
