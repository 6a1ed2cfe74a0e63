import {
  RoostError,
  type closeStream,
  type finishWriteStream,
  type openReadStream,
  type openWriteStream,
  type readStream,
  type writeStream,
} from '#lib/contracts';
import type { z } from 'zod';
import { packParts } from '../archive/pack-parts.js';
import { unpackParts } from '../archive/unpack-parts.js';
import { absolute, parsePath } from '../tree/path.js';
import type { Volume } from '../tree/volume.js';
import { type Finished, patchFileParts, readFileParts, writeFileParts } from './file-parts.js';
import { ReadStreams, type ReadParts, type WriteParts, WriteStreams } from './streams.js';

type Input<C extends { input: z.ZodType }> = z.output<C['input']>;
type Output<C extends { output: z.ZodType }> = z.output<C['output']>;

/** Large content in and out, by the contracts of `stream.*`. Streams outlive a lost bus connection. */
export class Transfers {
  private readonly reads = new ReadStreams();
  private readonly writes = new WriteStreams<Finished>();

  constructor(private readonly volume: Volume) {}

  async openRead({
    path,
    source,
    offset,
    length,
  }: Input<typeof openReadStream>): Promise<Output<typeof openReadStream>> {
    const about: { parts: ReadParts; size?: number; etag?: string; modifiedAt: Date } =
      source === 'file'
        ? await readFileParts(this.volume, path, offset, length)
        : await packParts(this.volume, path, source);
    const streamId = await this.reads.add(about.parts);
    return {
      streamId,
      path: absolute(parsePath(path)),
      size: about.size ?? null,
      etag: about.etag ?? '',
      modifiedAt: about.modifiedAt,
    };
  }

  read({ streamId, part }: Input<typeof readStream>): Promise<Output<typeof readStream>> {
    return this.reads.read(streamId, part);
  }

  async openWrite(input: Input<typeof openWriteStream>): Promise<Output<typeof openWriteStream>> {
    return { streamId: await this.writes.add(await this.partsFor(input)) };
  }

  private partsFor({ path, target, patch, ...expected }: Input<typeof openWriteStream>): Promise<WriteParts<Finished>> {
    switch (target) {
      case 'file':
        return writeFileParts(this.volume, path, expected);
      case 'patch':
        if (!patch) throw new RoostError('VALIDATION_ERROR', 'patch: is required for the target patch');
        return patchFileParts(this.volume, { path, ifMatch: expected.ifMatch, ...patch });
      default:
        return unpackParts(this.volume, path, target, expected.overwrite);
    }
  }

  async write({ streamId, part, data }: Input<typeof writeStream>): Promise<Output<typeof writeStream>> {
    return { bytes: await this.writes.write(streamId, part, data) };
  }

  finish({ streamId }: Input<typeof finishWriteStream>): Promise<Finished> {
    return this.writes.finish(streamId);
  }

  async close({ streamId }: Input<typeof closeStream>): Promise<Output<typeof closeStream>> {
    const [read, write] = await Promise.all([this.reads.close(streamId), this.writes.close(streamId)]);
    return { closed: read || write };
  }
}
