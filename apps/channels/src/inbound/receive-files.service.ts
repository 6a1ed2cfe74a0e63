import { RoostError } from '#lib/contracts';
import { Database } from '#lib/database';
import { Content } from '#lib/workspace-client';
import { Injectable } from '@nestjs/common';
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { type ChannelAdapter, type Connection, DeliveryError, type InboundFile } from '../adapters/channel-adapter.js';
import { type BindingRow, hasBinding } from '../bindings/bindings.repository.js';
import { megabytes } from '../outbound/send-file.js';

/** After so many tries a file that cannot be fetched is left out, so that the message at least arrives. */
const MAX_ATTEMPTS = 5;
const MAX_NAME_BYTES = 150;

export interface FromPlatform {
  adapter: ChannelAdapter;
  connection: Connection;
  /** For the folder and for the names: the same at every try, so that a repeated one writes the same files. */
  eventId: string;
  receivedAt: Date;
  attempts: number;
}

/** The person was unlinked while their files were on the way. */
export class Unlinked extends Error {
  override readonly name = 'Unlinked';
}

export interface ReceivedFiles {
  saved: { path: string; size: number }[];
  /** What the person is answered about files that were not taken. */
  refused: string[];
}

/** Brings files that people send into the agent's workspace, under `inbox/`. */
@Injectable()
export class ReceiveFilesService {
  constructor(
    private readonly content: Content,
    private readonly database: Database,
  ) {}

  /**
   * Errors: Unlinked (what was on the way is not in the workspace), and whatever may pass (the platform or the workspace
   * is away): the message is then tried again.
   */
  async save(binding: BindingRow, files: InboundFile[], from: FromPlatform): Promise<ReceivedFiles> {
    const result: ReceivedFiles = { saved: [], refused: [] };
    for (const [index, file] of files.entries()) {
      const outcome = await this.saveOne(binding, file, pathOf(file, index, from), from);
      if (typeof outcome === 'string') result.refused.push(outcome);
      else result.saved.push(outcome);
    }
    return result;
  }

  private async saveOne(binding: BindingRow, file: InboundFile, path: string, from: FromPlatform) {
    const { adapter, connection, attempts } = from;
    const tooLarge = `I did not take "${file.name}": files can be at most ${megabytes(adapter.maxInboundBytes)} here.`;
    if ((file.sizeBytes ?? 0) > adapter.maxInboundBytes) return tooLarge;
    let source: Readable | undefined;
    try {
      source = await connection.download(file);
      const limited = this.whileLinked(binding, upTo(source, adapter.maxInboundBytes));
      const target = { path, target: 'file', overwrite: true } as const;
      return await this.content.write(binding.account_id, binding.agent_id, target, limited);
    } catch (error) {
      if (error instanceof Unlinked) throw error;
      if (error instanceof RoostError) {
        if (error.code === 'PAYLOAD_TOO_LARGE') return tooLarge;
        if (error.code === 'INSUFFICIENT_STORAGE') return `I did not take "${file.name}": the agent's storage is full.`;
        if (error.code === 'AGENT_UNAVAILABLE' || error.code === 'NOT_FOUND') throw error;
      }
      if (error instanceof DeliveryError && error.outcome === 'failed')
        return `I could not fetch "${file.name}": ${error.message}.`;
      if (attempts >= MAX_ATTEMPTS) return `I could not fetch "${file.name}"; please send it again.`;
      throw error;
    } finally {
      source?.destroy();
    }
  }

  /** A file is in its place only when its last byte is: one whose sender was unlinked meanwhile never gets there. */
  private async *whileLinked(binding: BindingRow, bytes: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    yield* bytes;
    if (!(await hasBinding(this.database, binding.id))) throw new Unlinked('unlinked while a file was on the way');
  }
}

/** The size that the platform states may be wrong or missing. */
async function* upTo(source: Readable, maxBytes: number): AsyncGenerator<Buffer> {
  let bytes = 0;
  for await (const chunk of source) {
    const part = Buffer.from(chunk as Uint8Array);
    bytes += part.length;
    if (bytes > maxBytes) throw new RoostError('PAYLOAD_TOO_LARGE', 'the file is too large');
    yield part;
  }
}

function pathOf({ name }: InboundFile, index: number, { eventId, receivedAt }: FromPlatform): string {
  const day = receivedAt.toISOString().slice(0, 10);
  const mark = createHash('sha256').update(`${eventId}/${index}`).digest('hex').slice(0, 8);
  return `inbox/${day}/${mark}-${safeName(name)}`;
}

/** A name from outside as one path segment: no folders, nothing invisible, short enough for every file system. */
export function safeName(name: string): string {
  const plain = name
    .toWellFormed()
    // oxlint-disable-next-line no-control-regex
    .replace(/[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2066-\u2069/\\]/g, '_')
    .trim();
  const dot = plain.lastIndexOf('.');
  const extension = dot > 0 && plain.length - dot <= 16 ? plain.slice(dot) : '';
  let stem = extension ? plain.slice(0, dot) : plain;
  while (Buffer.byteLength(stem + extension) > MAX_NAME_BYTES) stem = [...stem].slice(0, -1).join('');
  return stem + extension || 'file';
}
