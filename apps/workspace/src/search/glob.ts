import { RE2JS } from 're2js';

/**
 * A glob as a matcher that takes linear time whatever the pattern: `*` and `?` stay within a name, `**` crosses
 * directories, `[a-z]`, `[!a]`, `{a,b}`. A pattern without a slash is matched against the name, else against the path.
 * Plain text without any of these matches names that contain it.
 */
export function globMatcher(glob: string, caseSensitive: boolean): (path: string) => boolean {
  const flags = caseSensitive ? 0 : RE2JS.CASE_INSENSITIVE;
  const isPlain = !/[*?[\]{}/]/.test(glob);
  const regex = RE2JS.compile(isPlain ? `.*${RE2JS.quote(glob)}.*` : translate(glob), flags | RE2JS.DOTALL);
  const isPath = glob.includes('/');
  return (path) => regex.matches(isPath ? path : path.slice(path.lastIndexOf('/') + 1));
}

function translate(glob: string): string {
  let regex = '';
  let braces = 0;
  for (let at = 0; at < glob.length; at += 1) {
    const char = glob.charAt(at);
    if (glob.startsWith('**/', at)) {
      regex += '(?:[^/]+/)*';
      at += 2;
    } else if (glob.startsWith('**', at)) {
      regex += '.*';
      at += 1;
    } else if (char === '*') regex += '[^/]*';
    else if (char === '?') regex += '[^/]';
    else if (char === '[') {
      const end = glob.indexOf(']', at + 2);
      if (end < 0) regex += '\\[';
      else {
        regex += characterClass(glob.slice(at + 1, end));
        at = end;
      }
    } else if (char === '{' && glob.indexOf('}', at) > 0) {
      regex += '(?:';
      braces += 1;
    } else if (char === '}' && braces > 0) {
      regex += ')';
      braces -= 1;
    } else if (char === ',' && braces > 0) regex += '|';
    else regex += RE2JS.quote(char);
  }
  return regex + ')'.repeat(braces);
}

function characterClass(body: string): string {
  const isNegated = body.startsWith('!') || body.startsWith('^');
  const members = (isNegated ? body.slice(1) : body).replace(/[\\\]^]/g, '\\$&');
  return `[${isNegated ? '^/' : ''}${members}]`;
}
