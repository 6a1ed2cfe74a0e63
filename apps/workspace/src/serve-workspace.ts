import * as contract from '#lib/contracts';
import { type Handler, serve } from '#lib/rpc';
import type { NatsConnection } from '@nats-io/transport-node';
import { z } from 'zod';
import { createDirectory } from './directories/directories.js';
import { deleteDirectory } from './directories/directories.js';
import { listDirectory } from './directories/list-directory.js';
import type { Commands } from './exec/run-command.js';
import { deleteFile } from './files/write-file.js';
import { patchFile } from './files/patch-file.js';
import { readFile } from './files/read-file.js';
import { writeFile } from './files/write-file.js';
import { getMetadata, updateMetadata } from './metadata/metadata.js';
import { copyFiles } from './operations/copy.js';
import { deletePaths } from './operations/delete.js';
import { moveFiles } from './operations/move.js';
import type { Processes } from './processes/processes.js';
import { searchFiles } from './search/search-files.js';
import type { Transfers } from './streams/transfers.js';
import { fsError } from './tree/fs-error.js';
import type { Volume } from './tree/volume.js';
import { volumeUsage } from './usage.js';

/** Answers this workspace's subjects on a connection. `bootId` is this process's alone. */
export function serveWorkspace(
  connection: NatsConnection,
  { agentId, bootId }: { agentId: string; bootId: string },
  volume: Volume,
  commands: Commands,
  transfers: Transfers,
  processes: Processes,
): void {
  const answer = <I extends z.ZodType, O extends z.ZodType>(
    served: contract.RequestContract<I, O>,
    handle: Handler<I, O>,
  ) => {
    // Whatever a handler did when the file system refused (a full volume, missing rights), the caller gets that reason.
    const handleOrExplain: Handler<I, O> = async (input, context) => {
      try {
        return await handle(input, context);
      } catch (error) {
        throw fsError(error);
      }
    };
    serve(connection, served, contract.subjectOf(served, { agentId }), handleOrExplain, report);
  };
  const used = useReporter(connection, agentId);
  const on = <I extends z.ZodType, O extends z.ZodType>(
    served: contract.RequestContract<I, O>,
    handle: Handler<I, O>,
    durationOf: (input: z.output<I>) => number = () => 0,
  ) =>
    answer(served, async (input, context) => {
      const ended = used(durationOf(input));
      try {
        return await handle(input, context);
      } finally {
        ended();
      }
    });

  // A ping does not count as use: whoever monitors workspaces would keep them awake.
  answer(contract.pingWorkspace, () => ({ bootId, uptimeMs: Math.round(process.uptime() * 1_000) }));
  on(
    contract.execCommand,
    (input, { traceparent }) => commands.run(input, input.learnsTrace ? traceparent : undefined),
    ({ timeoutMs }) => timeoutMs,
  );
  on(contract.cancelExec, ({ execId }) => ({ cancelled: commands.cancel(execId) }));

  on(contract.startProcess, (input) => processes.start(input));
  on(contract.writeProcess, (input) => processes.write(input));
  on(contract.readProcess, (input) => processes.read(input));
  on(contract.stopProcess, ({ processId }) => processes.stop(processId));

  on(contract.readFile, (input) => readFile(volume, input));
  on(contract.writeFile, (input) => writeFile(volume, input));
  on(contract.patchFile, (input) => patchFile(volume, input));
  on(contract.deleteFile, (input) => deleteFile(volume, input));
  on(contract.listDirectory, (input) => listDirectory(volume, input));
  on(contract.createDirectory, (input) => createDirectory(volume, input));
  on(contract.deleteDirectory, (input) => deleteDirectory(volume, input));
  on(contract.getMetadata, (input) => getMetadata(volume, input));
  on(contract.updateMetadata, (input) => updateMetadata(volume, input));
  on(contract.copyFiles, (input) => copyFiles(volume, input));
  on(contract.moveFiles, (input) => moveFiles(volume, input));
  on(contract.deletePaths, (input) => deletePaths(volume, input));
  on(contract.searchFiles, (input) => searchFiles(volume, input));
  on(contract.getVolumeUsage, () => volumeUsage(volume));

  on(contract.openReadStream, (input) => transfers.openRead(input));
  on(contract.readStream, (input) => transfers.read(input));
  on(contract.openWriteStream, (input) => transfers.openWrite(input));
  on(contract.writeStream, (input) => transfers.write(input));
  on(contract.finishWriteStream, (input) => transfers.finish(input));
  on(contract.closeStream, (input) => transfers.close(input));
}

/**
 * Reports that the workspace is used, at most once a second, and always when it will be for long; returns what must be
 * called when that use has ended.
 */
function useReporter(connection: NatsConnection, agentId: string): (forMs: number) => () => void {
  let reportedAt = 0;
  const ends = new Set<{ at: number }>();
  const report = (isAll?: true) => {
    reportedAt = Date.now();
    const forMs = Math.max(0, ...[...ends].map(({ at }) => at - reportedAt));
    const used = contract.encode(contract.WorkspaceUsed, { forMs, ...(isAll && { isAll }) });
    if (!connection.isClosed()) connection.publish(contract.workspaceUsedSubject(agentId), JSON.stringify(used));
  };
  return (forMs) => {
    if (forMs === 0) {
      if (Date.now() - reportedAt >= 1_000) report();
      return () => undefined;
    }
    const end = { at: Date.now() + forMs };
    ends.add(end);
    report();
    return () => {
      ends.delete(end);
      report(true);
    };
  };
}

/** The host reads standard error into its log. */
function report(error: unknown, subject: string): void {
  process.stderr.write(
    `${JSON.stringify({ level: 'error', subject, error: error instanceof Error ? error.stack : String(error) })}\n`,
  );
}
