/** The built-in tools that take a path of the workspace, in the argument `path`. */
const FILE_TOOLS = new Set(['read_file', 'write_file', 'edit_file', 'list_files', 'search_files']);

export const isWorkspacePath = (tool: string, argument: string) => argument === 'path' && FILE_TOOLS.has(tool);

/**
 * Every way in which rules may name the file that a path names: `notes/a.txt` and `/workspace/notes/a.txt` are one, as
 * are `./notes//a.txt` and `notes/b/../a.txt`. Symbolic links are not followed: what they lead to is known when the tool
 * runs, and not before.
 */
export function spellingsOf(path: string): string[] {
  const names: string[] = [];
  for (const name of path.split('/')) {
    if (name === '..') names.pop();
    else if (name !== '' && name !== '.') names.push(unescaped(name));
  }
  if (names[0] === 'workspace') names.shift();
  const inside = names.join('/');
  return inside === '' ? ['', '.', '/workspace', '/workspace/'] : [inside, `/workspace/${inside}`];
}

/** The workspace takes bytes of a name as `\xNN`, too (apps/workspace/src/tree/path.ts). */
const ESCAPES = /(?:\\x(?:[89a-f][0-9a-f]|[01][0-9a-f]|7f|5c))+/g;

function unescaped(name: string): string {
  return name.replace(ESCAPES, (escapes) => Buffer.from(escapes.replaceAll('\\x', ''), 'hex').toString('utf8'));
}
