import { RoostError } from '#lib/contracts';

/** The free space of a volume, asked for before the API writes: a write that would not fit must not begin. */
export interface Capacity {
  /** Errors: INSUFFICIENT_STORAGE. */
  take(bytes: number): Promise<void>;
}

/** For volumes whose file system has the agreed size: its own ENOSPC reports when they are full. */
export const boundByFileSystem: Capacity = { take: () => Promise.resolve() };

export function volumeFull(): RoostError {
  return new RoostError('INSUFFICIENT_STORAGE', 'the volume is full; delete files or use a larger pvc_size');
}

export function isVolumeFull(error: unknown): boolean {
  return error instanceof RoostError && error.code === 'INSUFFICIENT_STORAGE';
}
