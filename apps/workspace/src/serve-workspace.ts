import {
  cancelExec,
  execCommand,
  listDirectory,
  pingWorkspace,
  readFile,
  type RequestContract,
  subjectOf,
  writeFile,
} from '#lib/contracts';
import { type Handler, serve } from '#lib/bus/rpc';
import type { NatsConnection } from '@nats-io/transport-node';
import { randomUUID } from 'node:crypto';
import type { z } from 'zod';
import * as directories from './directories/list-directory.js';
import type { Commands } from './exec/run-command.js';
import * as read from './files/read-file.js';
import * as write from './files/write-file.js';
import type { Volume } from './tree/volume.js';

const bootId = randomUUID();

/** Answers this workspace's subjects on a connection. */
export function serveWorkspace(connection: NatsConnection, agentId: string, volume: Volume, commands: Commands): void {
  const on = <I extends z.ZodType, O extends z.ZodType>(contract: RequestContract<I, O>, handle: Handler<I, O>) =>
    serve(connection, contract, subjectOf(contract, { agentId }), handle, report);

  on(pingWorkspace, () => ({ bootId, uptimeMs: Math.round(process.uptime() * 1_000) }));
  on(readFile, (input) => read.readFile(volume, input));
  on(writeFile, (input) => write.writeFile(volume, input));
  on(listDirectory, (input) => directories.listDirectory(volume, input));
  on(execCommand, (input) => commands.run(input));
  on(cancelExec, ({ execId }) => ({ cancelled: commands.cancel(execId) }));
}

/** The host reads standard error into its log. */
function report(error: unknown, subject: string): void {
  process.stderr.write(
    `${JSON.stringify({ level: 'error', subject, error: error instanceof Error ? error.stack : String(error) })}\n`,
  );
}
