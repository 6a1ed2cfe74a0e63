import { createHash } from 'node:crypto';

/** OpenAI takes 64 characters, Google wants a letter or _ at the beginning. */
const MAX_LENGTH = 64;
const ACCEPTED = /^[a-zA-Z_][a-zA-Z0-9_-]{0,63}$/;

/** A tool's name as every provider takes it. */
export function cleanToolName(name: string): string {
  if (ACCEPTED.test(name)) return name;
  const letters = name.replace(/[^a-zA-Z0-9_-]/g, '_');
  const begun = /^[a-zA-Z_]/.test(letters) ? letters : `_${letters}`;
  return begun.length <= MAX_LENGTH ? begun : withHash(begun, name);
}

/** A name for each of several tools: cleaned, and marked by a hash of the original where cleaning made two alike. */
export function uniqueToolNames(names: string[]): Map<string, string> {
  const given = new Map<string, string>();
  const taken = new Set<string>();
  // Names that need no cleaning keep theirs, whatever comes before them.
  for (const name of [...new Set(names)].sort(
    (a, b) => Number(ACCEPTED.test(b)) - Number(ACCEPTED.test(a)) || (a < b ? -1 : 1),
  )) {
    const cleaned = cleanToolName(name);
    const hasLetters = /[a-zA-Z0-9]/.test(cleaned);
    const unique = taken.has(cleaned) || !hasLetters ? withHash(cleaned, name) : cleaned;
    taken.add(unique);
    given.set(name, unique);
  }
  return given;
}

function withHash(cleaned: string, name: string): string {
  const hash = createHash('sha256').update(name).digest('hex').slice(0, 8);
  return `${cleaned.slice(0, MAX_LENGTH - 9)}_${hash}`;
}
