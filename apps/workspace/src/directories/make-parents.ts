import { closeSync, constants, mkdirSync, openSync } from 'node:fs';
import { below, type Place } from '../tree/walk.js';

/** Makes the missing directories of a place, one below the other's handle. `close` gives up the handles it opened. */
export function makeParents(place: Place): { place: Place; close(): void } {
  if (place.missing.length === 0) return { place, close: () => undefined };
  const open: number[] = [];
  const close = () => open.forEach((fd) => closeSync(fd));
  try {
    let directory = place.directory;
    for (const name of place.missing.slice(0, -1)) {
      const at = below(directory, name);
      try {
        mkdirSync(at, { mode: 0o755 });
      } catch (error) {
        // Another call may have made it since the walk.
        if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
      }
      directory = openSync(at, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
      open.push(directory);
    }
    const name = place.missing.at(-1) ?? place.name;
    return {
      place: { ...place, directory, name, at: name ? below(directory, name) : place.at, found: undefined, missing: [] },
      close,
    };
  } catch (error) {
    close();
    throw error;
  }
}
