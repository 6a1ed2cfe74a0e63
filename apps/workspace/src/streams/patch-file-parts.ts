import { applyPatch, copyRange, type Patch } from '../files/patch-file.js';
import { checkTarget } from '../files/replace-file.js';
import type { Volume } from '../tree/volume.js';
import type { Finished } from './finished.js';
import type { WriteParts } from './streams.js';

/** A patch whose content comes in parts; the file changes when all of it is there. */
export async function patchFileParts(volume: Volume, patch: Patch): Promise<WriteParts<Finished>> {
  await checkTarget(volume, patch.path, { overwrite: true, mustExist: true, ifMatch: patch.ifMatch });
  const draft = await volume.draft();
  return {
    async write(data) {
      await volume.room.take(data.length);
      await draft.file.appendFile(data);
    },
    async finish() {
      const { size } = await draft.file.stat();
      const copyTo = (file: typeof draft.file, position: number) => copyRange(draft.file, file, 0, size, position);
      return { ...(await applyPatch(volume, patch, { size, copyTo })), files: 1 };
    },
    close: () => volume.discard(draft),
  };
}
