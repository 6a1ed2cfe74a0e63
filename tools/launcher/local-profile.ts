import { renameSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';

/** What the command line reads of a Roost on this machine. It looks for `.roost/profile.json` here and above. */
const FILE = 'profile.json';
const FOLDER = '.roost';

/** Lets `roost` find this Roost without a key being copied: readable by its owner alone, and never half-written. */
export function writeLocalProfile(dataDir: string, { url, apiKey }: { url: string; apiKey: string }): void {
  const path = join(dataDir, FILE);
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, `${JSON.stringify({ url, api_key: apiKey })}\n`, { mode: 0o600 });
  renameSync(draft, path);
}

/** Whether `roost` finds the data folder from where the user is. */
export function isFoundFrom(folder: string, dataDir: string): boolean {
  return basename(dataDir) === FOLDER && !relative(dirname(dataDir), folder).startsWith('..');
}
