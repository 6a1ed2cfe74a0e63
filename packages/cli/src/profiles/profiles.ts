import { chmodSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CliError, EXIT } from '../failure.js';

/** A Roost and who one is there. */
export interface Profile {
  url: string;
  apiKey: string;
}

export interface FoundProfile extends Profile {
  /** Where it was found, for people. */
  from: string;
}

interface Config {
  current?: string;
  profiles: Record<string, Profile>;
}

/** What `npm start` writes into its data folder, readable by its owner alone. */
const LOCAL_FILE = join('.roost', 'profile.json');

export const configFile = (env: NodeJS.ProcessEnv): string =>
  join(env['XDG_CONFIG_HOME'] || join(homedir(), '.config'), 'roost', 'config.json');

/**
 * Which Roost is meant: by the environment, by name, the one whose data folder is here or above, the one that was
 * signed in to, or that of the clone this program lies in. Errors: CliError.
 */
export function findProfile(name: string | undefined, env: NodeJS.ProcessEnv, cwd: string): FoundProfile {
  const named = name ?? env['ROOST_PROFILE'];
  if (named !== undefined) return { ...profileCalled(named, env), from: `profile "${named}"` };
  const { ROOST_URL: url, ROOST_API_KEY: apiKey } = env;
  if (url && apiKey) return { url, apiKey, from: 'ROOST_URL and ROOST_API_KEY' };
  const found = localProfileAbove(cwd) ?? currentProfile(env) ?? localProfileAbove(fileURLToPath(import.meta.url));
  if (!found)
    throw new CliError(
      'no Roost is known here. Start one with: roost up; or sign in with: roost login --url URL',
      EXIT.notPermitted,
    );
  return { ...found, ...(url ? { url } : {}), ...(apiKey ? { apiKey } : {}) };
}

/** Keeps a profile, and makes it the current one. The file is its owner's alone, and never half-written. */
export function saveProfile(name: string, profile: Profile, env: NodeJS.ProcessEnv): string {
  const config = readConfig(env);
  return writeConfig({ current: name, profiles: { ...config.profiles, [name]: profile } }, env);
}

/** Errors: CliError when there is none of this name. */
export function removeProfile(name: string | undefined, env: NodeJS.ProcessEnv): string {
  const { current, profiles } = readConfig(env);
  const gone = name ?? current ?? 'default';
  if (!Object.hasOwn(profiles, gone)) throw new CliError(`there is no profile "${gone}"`, EXIT.notFound);
  const left = Object.fromEntries(Object.entries(profiles).filter(([known]) => known !== gone));
  const next = current === gone ? Object.keys(left)[0] : current;
  writeConfig({ profiles: left, ...(next === undefined ? {} : { current: next }) }, env);
  return gone;
}

function profileCalled(name: string, env: NodeJS.ProcessEnv): Profile {
  const { profiles } = readConfig(env);
  const found = Object.hasOwn(profiles, name) ? profiles[name] : undefined;
  if (found) return found;
  const known = Object.keys(profiles);
  throw new CliError(
    `there is no profile "${name}"${known.length > 0 ? `; there are: ${known.join(', ')}` : ''}. Make it with: roost login --profile ${name}`,
    EXIT.usage,
  );
}

function currentProfile(env: NodeJS.ProcessEnv): FoundProfile | undefined {
  const { current, profiles } = readConfig(env);
  const found = current === undefined ? undefined : profiles[current];
  return found && { ...found, from: `profile "${current}" of ${configFile(env)}` };
}

function localProfileAbove(from: string): FoundProfile | undefined {
  for (let folder = resolve(from); ; folder = dirname(folder)) {
    const found = readLocal(join(folder, LOCAL_FILE));
    if (found) return found;
    if (dirname(folder) === folder) return undefined;
  }
}

/** Only a file that nobody else can have written: what others leave in a shared folder names no server for us. */
function readLocal(path: string): FoundProfile | undefined {
  try {
    const { uid, mode } = statSync(path);
    if (uid !== process.getuid?.() || (mode & 0o077) !== 0) return undefined;
    const { url, api_key: apiKey } = JSON.parse(readFileSync(path, 'utf8')) as { url?: unknown; api_key?: unknown };
    return typeof url === 'string' && typeof apiKey === 'string' ? { url, apiKey, from: path } : undefined;
  } catch {
    // Not there, not ours to read, or half-written by a crash: as good as none.
    return undefined;
  }
}

function readConfig(env: NodeJS.ProcessEnv): Config {
  const path = configFile(env);
  try {
    const config = JSON.parse(readFileSync(path, 'utf8')) as Partial<Config>;
    return { ...config, profiles: config.profiles ?? {} };
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return { profiles: {} };
    throw new CliError(`${path} cannot be read: mend or remove it`);
  }
}

function writeConfig(config: Config, env: NodeJS.ProcessEnv): string {
  const path = configFile(env);
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, `${JSON.stringify(config, null, 2)}\n`, { mode: 0o600 });
  chmodSync(draft, 0o600);
  renameSync(draft, path);
  return path;
}
