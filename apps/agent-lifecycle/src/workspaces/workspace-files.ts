import { Bus } from '#lib/bus';
import { ownCall } from '#lib/call-context';
import {
  deleteFile,
  finishWriteStream,
  openReadStream,
  openWriteStream,
  readStream,
  RoostError,
  STREAM_PART_BYTES,
  writeStream,
} from '#lib/contracts';
import { Database } from '#lib/database';
import { Injectable } from '@nestjs/common';
import type { PlannedOperation } from '../agents/agent-files.js';
import { nextPendingFile, removePendingFile } from '../agents/agents.repository.js';

interface WriteMode {
  overwrite: boolean;
  mustExist?: boolean;
}

type Undo = () => Promise<void>;

const CALL_MS = 60_000;
/** What is taken into memory of a file that an agent made. */
const MAX_TAKEN_BYTES = 32 * 2 ** 20;
const call = () => ownCall('req_lifecycle_files', CALL_MS);

/** The files that come with an agent: initial ones, and those of an update. */
@Injectable()
export class WorkspaceFiles {
  constructor(
    private readonly bus: Bus,
    private readonly database: Database,
  ) {}

  /** Writes the initial files that still wait into the workspace, each gone from the database once it is there. */
  async writePending(agentId: string): Promise<void> {
    for (;;) {
      const file = await nextPendingFile(this.database, agentId);
      if (!file) return;
      // One that is there was written before, by another replica or one that was killed, and may have been changed since.
      await this.put(agentId, file.path, file.content, { overwrite: false }).catch((error: unknown) => {
        if (!(error instanceof RoostError && error.code === 'ALREADY_EXISTS')) throw error;
      });
      await removePendingFile(this.database, agentId, file);
    }
  }

  /**
   * Carries out file operations in order, all or none: when one fails, those before it are taken back. The function it
   * resolves to takes all of them back, for a caller whose own part fails afterwards. Not promised: that nobody sees a
   * file in between, nor anything about directories made on the way.
   * Errors: ALREADY_EXISTS, NOT_FOUND and the other errors of the workspace's file requests.
   */
  async apply(agentId: string, operations: readonly PlannedOperation[]): Promise<Undo> {
    const undos: Undo[] = [];
    const undoAll: Undo = async () => {
      for (const undo of undos.splice(0).reverse()) await undo();
    };
    try {
      for (const { operation, path, content } of operations) {
        const before = await this.take(agentId, path);
        const undo: Undo = async () => {
          if (before) await this.put(agentId, path, before, { overwrite: true });
          else await this.remove(agentId, path);
        };
        if (operation === 'delete') await this.remove(agentId, path);
        else if (operation === 'create') await this.put(agentId, path, content, { overwrite: false });
        else await this.put(agentId, path, content, { overwrite: true, mustExist: true });
        undos.push(undo);
      }
    } catch (error) {
      await undoAll();
      throw error;
    }
    return undoAll;
  }

  /** Writes one file in parts, seen only when complete. Errors: those of the workspace's `openWriteStream`. */
  private async put(agentId: string, path: string, content: Buffer, mode: WriteMode): Promise<void> {
    const { streamId } = await this.bus.request(openWriteStream, { agentId, path, target: 'file', ...mode }, call());
    for (let part = 0; part * STREAM_PART_BYTES < content.length; part += 1) {
      const data = content.subarray(part * STREAM_PART_BYTES, (part + 1) * STREAM_PART_BYTES);
      await this.bus.request(writeStream, { agentId, streamId, part, data }, call());
    }
    await this.bus.request(finishWriteStream, { agentId, streamId }, call());
  }

  /** What a file holds; undefined when there is none. Errors: PAYLOAD_TOO_LARGE above 32 MiB. */
  private async take(agentId: string, path: string): Promise<Buffer | undefined> {
    try {
      const opened = await this.bus.request(openReadStream, { agentId, path, source: 'file', offset: 0 }, call());
      const parts: Uint8Array[] = [];
      let bytes = 0;
      for (let part = 0; ; part += 1) {
        const { streamId } = opened;
        const { data, isLast } = await this.bus.request(readStream, { agentId, streamId, part }, call());
        parts.push(data);
        bytes += data.length;
        if (bytes > MAX_TAKEN_BYTES) {
          throw new RoostError('PAYLOAD_TOO_LARGE', `${path} is larger than 32 MiB: change it through the files API`);
        }
        if (isLast) return Buffer.concat(parts);
      }
    } catch (error) {
      if (error instanceof RoostError && error.code === 'NOT_FOUND') return undefined;
      throw error;
    }
  }

  private async remove(agentId: string, path: string): Promise<void> {
    await this.bus.request(deleteFile, { agentId, path }, call());
  }
}
