import { checkTarget, type Expectations, publishFile } from '../files/replace-file.js';
import type { Volume } from '../tree/volume.js';
import type { Finished } from './finished.js';
import type { WriteParts } from './streams.js';

/** A file written in parts, seen when it is complete. */
export async function writeFileParts(
  volume: Volume,
  path: string,
  expected: Expectations,
): Promise<WriteParts<Finished>> {
  await checkTarget(volume, path, expected);
  const draft = await volume.draft();
  return {
    async write(data) {
      await volume.room.take(data.length);
      await draft.file.appendFile(data);
    },
    async finish() {
      const { path: written, size, createdAt, etag } = await publishFile(volume, path, expected, draft);
      return { path: written, size, createdAt, etag, files: 1 };
    },
    close: () => volume.discard(draft),
  };
}
