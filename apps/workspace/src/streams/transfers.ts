import type {
  closeStream,
  finishWriteStream,
  openReadStream,
  openWriteStream,
  readStream,
  writeStream,
} from '#lib/contracts';
import type { z } from 'zod';
import { packParts } from '../archive/pack-parts.js';
import { unpackParts } from '../archive/unpack-parts.js';
import { absolute, parsePath } from '../tree/path.js';
import type { Volume } from '../tree/volume.js';
import type { Finished } from './finished.js';
import { readFileParts } from './read-file-parts.js';
import { ReadStreams, type ReadParts, WriteStreams } from './streams.js';
import { writeFileParts } from './write-file-parts.js';

type Input<C extends { input: z.ZodType }> = z.output<C['input']>;
type Output<C extends { output: z.ZodType }> = z.output<C['output']>;

/** Large content in and out, as the contracts of `stream.*` say. Streams outlive a lost bus connection. */
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

  async openWrite({
    path,
    target,
    ...expected
  }: Input<typeof openWriteStream>): Promise<Output<typeof openWriteStream>> {
    const parts =
      target === 'file'
        ? await writeFileParts(this.volume, path, expected)
        : await unpackParts(this.volume, path, target, expected.overwrite);
    return { streamId: await this.writes.add(parts) };
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
