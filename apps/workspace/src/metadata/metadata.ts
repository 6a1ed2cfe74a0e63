import { chmodSync } from 'node:fs';
import {
  type FileMetadata,
  type getMetadata as getContract,
  RoostError,
  type updateMetadata as updateContract,
} from '#lib/contracts';
import type { z } from 'zod';
import { typeOf } from '../tree/stats.js';
import { etagOf } from '../tree/stats.js';
import { absolute, parsePath } from '../tree/path.js';
import type { Volume } from '../tree/volume.js';
import { atLocation, type Location } from '../tree/walk.js';

/** The only user of a workspace, by name and by id. */
const ownNames = ['agent', '1000'];

export async function getMetadata(volume: Volume, { path }: z.output<typeof getContract.input>): Promise<FileMetadata> {
  const names = parsePath(path);
  return atLocation(volume.root, names, { followLast: false }, (location) => describe(volume, names, location));
}

/** Errors: ACCESS_DENIED for an owner or group other than the agent's: files of others would be out of its reach. */
export async function updateMetadata(
  volume: Volume,
  { path, permissions, owner, group, tags }: z.output<typeof updateContract.input>,
): Promise<FileMetadata> {
  const names = parsePath(path);
  for (const [field, value] of Object.entries({ owner, group })) {
    if (value === undefined || ownNames.includes(value)) continue;
    throw new RoostError('ACCESS_DENIED', `${field}: only "agent" can own files of a workspace`, [
      { field, reason: 'not_allowed' },
    ]);
  }
  return atLocation(volume.root, names, { followLast: false }, async (location) => {
    if (!location.found) throw new RoostError('NOT_FOUND', 'no such file or directory');
    if (permissions !== undefined) {
      if (location.found.stats.isSymbolicLink())
        throw new RoostError('VALIDATION_ERROR', 'permissions: a symbolic link has none of its own', [
          { field: 'permissions', reason: 'not_allowed' },
        ]);
      chmodSync(location.found.at, parseInt(permissions, 8));
    }
    if (tags !== undefined) volume.tags.set(absolute(names), tags);
    return getMetadata(volume, { agentId: '', path });
  });
}

function describe(volume: Volume, names: Buffer[], { found }: Location): z.output<typeof FileMetadata> {
  if (!found) throw new RoostError('NOT_FOUND', 'no such file or directory');
  const { stats } = found;
  return {
    path: absolute(names),
    type: typeOf(stats),
    size: stats.isFile() ? stats.size : 0,
    permissions: (stats.mode & 0o777).toString(8).padStart(3, '0'),
    owner: 'agent',
    group: 'agent',
    tags: volume.tags.of(absolute(names)),
    createdAt: stats.birthtimeMs > 0 ? stats.birthtime : stats.ctime,
    modifiedAt: stats.mtime,
    etag: etagOf(stats),
  };
}
