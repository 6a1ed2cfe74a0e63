import { RoostError } from '#lib/contracts';

export const MAX_PATH_BYTES = 4_096;
export const MAX_NAME_BYTES = 255;

/** The daemon's own folder in a volume (half-written files, tags): reachable by no path of the API. */
export const RESERVED = '.roost';

const mount = 'workspace';

/**
 * Takes a path of the API apart into names, as bytes. `/workspace/x`, `workspace/x` and `x` are the same file.
 * `..` stays in the list: only the walk knows what it leads to.
 * Errors: VALIDATION_ERROR (too long, control characters), ACCESS_DENIED (absolute, and not in the workspace).
 */
export function parsePath(path: string): Buffer[] {
  if (Buffer.byteLength(path) > MAX_PATH_BYTES)
    throw invalid(`a path may have at most ${MAX_PATH_BYTES} bytes`, 'too_long');
  if (hasControlCharacter(path)) throw invalid('a path may not hold control characters', 'control_character');
  const names = path.split('/').filter((name) => name !== '' && name !== '.');
  if (names[0] === mount) names.shift();
  else if (path.startsWith('/') && names.length > 0) throw outside();
  return names.map((name) => {
    const bytes = fromShown(name);
    if (bytes.length > MAX_NAME_BYTES)
      throw invalid(`a file name may have at most ${MAX_NAME_BYTES} bytes`, 'too_long');
    return bytes;
  });
}

/** The form that answers give: `/workspace/a/b`. */
export function absolute(names: readonly Buffer[]): string {
  return ['', mount, ...names.map(toShown)].join('/');
}

/**
 * A name as text. Bytes that are not UTF-8 and control characters, which only the agent's own code can have made,
 * are shown as `\xNN`; the same text in a request means those bytes again.
 */
export function toShown(name: Buffer): string {
  const text = name.toString('utf8');
  const isText = Buffer.from(text, 'utf8').equals(name);
  const shown = isText ? text : escapeInvalid(name);
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  return shown.replace(/[\u0000-\u001f\u007f]/g, (char) => hex(char.charCodeAt(0)));
}

function escapeInvalid(name: Buffer): string {
  let shown = '';
  for (let at = 0; at < name.length;) {
    const length = [1, 2, 3, 4].find((count) => at + count <= name.length && decodes(name.subarray(at, at + count)));
    shown += length ? literal(name.toString('utf8', at, at + length)) : hex(name[at] ?? 0);
    at += length ?? 1;
  }
  return shown;
}

function decodes(bytes: Buffer): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}

function literal(char: string): string {
  return char === '\\' ? hex(0x5c) : char;
}

function hex(byte: number): string {
  return `\\x${byte.toString(16).padStart(2, '0')}`;
}

// Only what `toShown` can have written is taken as an escape, so that an ordinary name with a backslash stays itself.
const escape = /\\x([89a-f][0-9a-f]|[01][0-9a-f]|7f|5c)/g;

/** The bytes of a name as `toShown` gives it. Errors: VALIDATION_ERROR for an escaped NUL or slash. */
export function fromShown(name: string): Buffer {
  if (!name.includes('\\x')) return Buffer.from(name);
  const parts: Buffer[] = [];
  let end = 0;
  for (const match of name.matchAll(escape)) {
    parts.push(Buffer.from(name.slice(end, match.index)), Buffer.from([parseInt(match[1] ?? '', 16)]));
    end = match.index + match[0].length;
  }
  parts.push(Buffer.from(name.slice(end)));
  const bytes = Buffer.concat(parts);
  // An escape may not smuggle in what a plain path may not hold.
  if (bytes.includes(0) || bytes.includes(0x2f))
    throw invalid('a file name may not hold NUL or a slash', 'control_character');
  return bytes;
}

export function hasControlCharacter(text: string): boolean {
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  return /[\u0000-\u001f\u007f]/.test(text);
}

export function outside(): RoostError {
  return new RoostError('ACCESS_DENIED', 'the path leads outside the workspace', [
    { field: 'path', reason: 'outside_workspace' },
  ]);
}

export function invalid(message: string, reason: string): RoostError {
  return new RoostError('VALIDATION_ERROR', `path: ${message}`, [{ field: 'path', reason }]);
}
