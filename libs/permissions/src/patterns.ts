import { RE2JS } from 're2js';

/** A pattern for a whole text. */
export interface Pattern {
  matches(text: string): boolean;
  /** Work for each character of a text, in `MAX_WORK`'s unit. */
  readonly cost: number;
}

/** A step of the regular expression's machine, some 50 ns, takes as long as so many comparisons of characters or more. */
const STEP = 20;

/** `*` stands for any text, line ends among it: a pattern that `rm *` fits must not be escaped by a second line. */
export function globPattern(glob: string): Pattern {
  const [first = '', ...rest] = glob.split('*');
  const last = rest.pop();
  if (last === undefined) return { matches: (text) => text === glob, cost: 0 };
  const inner = rest.filter((part) => part !== '');
  const matches = (text: string) => {
    const end = text.length - last.length;
    if (end < first.length || !text.startsWith(first) || !text.endsWith(last)) return false;
    let at = first.length;
    for (const part of inner) {
      const found = text.indexOf(part, at);
      if (found < 0) return false;
      at = found + part.length;
    }
    return at <= end;
  };
  return { matches, cost: inner.join('').length };
}

/**
 * RE2: time grows with the text's length and never as a power of it. Not by the library's automaton, which is faster and
 * keeps up to 8 MB for each pattern. Errors: RE2JSSyntaxException and others, for what is no such expression.
 */
export function regexPattern(regex: string): Pattern {
  const compiled = RE2JS.compile(regex, RE2JS.DOTALL);
  return { matches: (text) => compiled.matcher(text).matches(), cost: compiled.programSize() * STEP };
}
