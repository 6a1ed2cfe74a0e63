import { createHash, randomBytes } from 'node:crypto';

const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';
/** Mistral takes ids of nine letters and digits alone; all others take more. */
const LENGTH = 9;

/** What every provider takes: OpenAI's chat wire the shortest (40), Anthropic the fewest characters. */
const ACCEPTED = /^[a-zA-Z0-9_-]{1,40}$/;

/** An id of our own for a call that a model makes: theirs come again in the next answer, or are refused by the next provider. */
export const newCallId = () => spelled(randomBytes(LENGTH));

/**
 * The id under which a recorded call is shown to a provider: as it is where all take it and it is the first of its
 * name, else one made of it, the same each time so that prompts stay cacheable.
 */
export function shownCallId(recorded: string, earlier: ReadonlySet<string>): string {
  if (ACCEPTED.test(recorded) && !earlier.has(recorded)) return recorded;
  for (let time = 0; ; time++) {
    const id = spelled(createHash('sha256').update(`${time} ${recorded}`).digest().subarray(0, LENGTH));
    if (!earlier.has(id)) return id;
  }
}

const spelled = (bytes: Buffer) => [...bytes].map((byte) => LETTERS[byte % LETTERS.length]).join('');
