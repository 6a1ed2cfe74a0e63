import { CliError, EXIT } from '../failure.js';

/** `AGENT:PATH`, as scp has it. */
export interface RemotePath {
  agent: string;
  path: string;
}

/** Errors: CliError. */
export function remotePath(given: string): RemotePath {
  const found = maybeRemote(given);
  if (found) return found;
  throw new CliError(`"${given}" names no file of an agent: write AGENT:PATH, e.g. my-agent:notes.txt`, EXIT.usage);
}

/** Undefined for a path of this machine. */
export function maybeRemote(given: string): RemotePath | undefined {
  const colon = given.indexOf(':');
  // A path of this machine may hold a colon: it then begins with ./ or /.
  if (colon < 1 || given.slice(0, colon).includes('/')) return undefined;
  return { agent: given.slice(0, colon), path: given.slice(colon + 1) };
}
