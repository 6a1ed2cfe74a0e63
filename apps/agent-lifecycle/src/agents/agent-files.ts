import { type FileOperation, type InitialFile, RoostError } from '#lib/contracts';

const MAX_FILES_BYTES = 10 * 2 ** 20;
const MAX_NAME_BYTES = 255;

/** What both `initial_files` and `files` of an update carry. */
interface FileContent {
  path: string;
  content: string;
  encoding: 'utf-8' | 'base64';
}

/**
 * The bytes of files that came with a request. What no workspace would take is refused before anything is made: paths
 * that lead outside, broken base64, more than 10 MiB in all. Errors: VALIDATION_ERROR naming the file.
 */
export function decodeFiles(field: string, files: readonly FileContent[]): { path: string; content: Buffer }[] {
  let bytes = 0;
  return files.map((file, index) => {
    const name = `${field}.${index}`;
    checkPath(`${name}.path`, file.path);
    const content = decode(`${name}.content`, file);
    bytes += content.length;
    if (bytes > MAX_FILES_BYTES) {
      throw invalid(field, 'too_large', `must be at most ${MAX_FILES_BYTES} bytes in all`, { max: MAX_FILES_BYTES });
    }
    return { path: file.path, content };
  });
}

export interface PlannedOperation {
  operation: FileOperation['operation'];
  path: string;
  content: Buffer;
}

/** The file operations of an update. Errors: VALIDATION_ERROR, before anything is touched. */
export function planFiles(files: readonly FileOperation[]): PlannedOperation[] {
  const contents = decodeFiles(
    'files',
    files.map(({ path, content = '', encoding }) => ({ path, content, encoding })),
  );
  return files.map(({ operation, path }, index) => {
    checkPath(`files.${index}.path`, path);
    return { operation, path, content: contents[index]?.content ?? Buffer.alloc(0) };
  });
}

const namesIn = (path: string) => path.split('/').filter((name) => name !== '' && name !== '.');

/** Of files that name one place several times the last: each is written once, and what is there by then stays. */
export function lastOfEach<F extends { path: string }>(files: readonly F[]): F[] {
  // An absolute path begins with /workspace.
  const placeOf = ({ path }: F) =>
    namesIn(path)
      .slice(path.startsWith('/') ? 1 : 0)
      .join('/');
  return [...new Map(files.map((file) => [placeOf(file), file])).values()];
}

function checkPath(field: string, path: string): void {
  const names = namesIn(path);
  const isRooted = names[0] === 'workspace';
  const inside = isRooted ? names.slice(1) : names;
  if (/\p{Cc}/u.test(path)) throw invalid(field, 'control_character', 'may not hold control characters');
  if (path.startsWith('/') && !isRooted) throw invalid(field, 'outside', 'must be below /workspace');
  if (names.includes('..')) throw invalid(field, 'outside', 'may not hold ..');
  if (inside.length === 0 || path.endsWith('/')) throw invalid(field, 'not_a_file', 'must name a file');
  if (inside[0] === '.roost') throw invalid(field, 'reserved', '.roost belongs to the workspace itself');
  if (inside.some((name) => Buffer.byteLength(name) > MAX_NAME_BYTES))
    throw invalid(field, 'too_long', `a file name may have at most ${MAX_NAME_BYTES} bytes`);
}

function decode(field: string, { content, encoding }: Pick<InitialFile, 'content' | 'encoding'>): Buffer {
  if (encoding === 'utf-8') return Buffer.from(content, 'utf8');
  if (content.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(content))
    throw invalid(field, 'not_base64', 'must be base64');
  return Buffer.from(content, 'base64');
}

function invalid(field: string, reason: string, message: string, more: object = {}): RoostError {
  return new RoostError('VALIDATION_ERROR', `${field}: ${message}`, [{ field, reason, message, ...more }]);
}
