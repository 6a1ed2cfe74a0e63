import { RoostError, type ErrorCode } from '#lib/contracts';

const codes: Record<string, [ErrorCode, string]> = {
  ENOENT: ['NOT_FOUND', 'no such file or directory'],
  ENOTDIR: ['NOT_FOUND', 'a part of the path is not a directory'],
  EACCES: ['ACCESS_DENIED', 'the file permissions do not allow it'],
  EPERM: ['ACCESS_DENIED', 'the file permissions do not allow it'],
  EROFS: ['ACCESS_DENIED', 'that part of the workspace is read-only'],
  EEXIST: ['ALREADY_EXISTS', 'it exists already; use overwrite to replace it'],
  ENOTEMPTY: ['CONFLICT', 'the directory is not empty; use recursive to delete what is in it'],
  EISDIR: ['VALIDATION_ERROR', 'it is a directory, not a file'],
  ELOOP: ['ACCESS_DENIED', 'too many symbolic links'],
  ENAMETOOLONG: ['VALIDATION_ERROR', 'the path is too long'],
  EINVAL: ['VALIDATION_ERROR', 'the file system does not take that name or value'],
  ENOSPC: ['INSUFFICIENT_STORAGE', 'the volume is full; delete files or use a larger pvc_size'],
  EDQUOT: ['INSUFFICIENT_STORAGE', 'the volume is full; delete files or use a larger pvc_size'],
  EFBIG: ['INSUFFICIENT_STORAGE', 'the file would be larger than the volume'],
};

/** A system call's failure as the API's error; anything else is returned as it is. */
export function fsError(error: unknown): unknown {
  if (error instanceof RoostError || !(error instanceof Error) || !('code' in error)) return error;
  const known = typeof error.code === 'string' ? codes[error.code] : undefined;
  return known
    ? new RoostError(known[0], known[1], [{ field: 'path', reason: String(error.code).toLowerCase() }])
    : error;
}
