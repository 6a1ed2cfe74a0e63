import { closeSync, existsSync, openSync, readdirSync, readSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type pg from 'pg';

/** A line of PostgreSQL's log in JSON, of those fields that are read. */
export interface LogLine {
  application_name?: string;
  message: string;
}

export type Logged = 'nothing' | 'durations' | 'plans';

const SETTINGS: Record<Logged, Record<string, string>> = {
  nothing: {},
  durations: { log_min_duration_statement: '0' },
  plans: {
    session_preload_libraries: 'auto_explain',
    'auto_explain.log_min_duration': '0',
    'auto_explain.log_analyze': 'on',
    'auto_explain.log_timing': 'off',
    'auto_explain.log_format': 'json',
    // As statements that are kept are planned: for no agent in particular, and not for the one that is asked for.
    plan_cache_mode: 'force_generic_plan',
  },
};
const COMMON = {
  logging_collector: 'on',
  log_destination: 'jsonlog',
  log_directory: 'scale-log',
  log_filename: 'postgres.log',
  log_rotation_age: '0',
  log_rotation_size: '0',
  log_file_mode: '0644',
  log_parameter_max_length: '0',
};

/** What PostgreSQL logs from its next start on; all else stays as Roost starts it. */
export async function setLogging(database: pg.Client, logged: Logged): Promise<void> {
  await database.query(`ALTER SYSTEM RESET ALL`);
  if (logged === 'nothing') return;
  await database.query(`LOAD 'auto_explain'`);
  for (const [name, value] of Object.entries({ ...COMMON, ...SETTINGS[logged] }))
    await database.query(`ALTER SYSTEM SET ${name} = '${value}'`);
}

const CHUNK = 16 * 1024 * 1024;

/** Calls back with each line of what the server has logged into the data folder. */
export function readServerLog(dataDir: string, take: (line: LogLine) => void): void {
  const path = join(dataDir, 'postgres', 'scale-log', 'postgres.json');
  if (!existsSync(path)) return;
  const file = openSync(path, 'r');
  try {
    const size = statSync(path).size;
    const buffer = Buffer.alloc(CHUNK);
    let rest = Buffer.alloc(0);
    for (let at = 0; at < size;) {
      const read = readSync(file, buffer, 0, CHUNK, at);
      if (read === 0) break;
      at += read;
      const all = Buffer.concat([rest, buffer.subarray(0, read)]);
      const end = all.lastIndexOf(10);
      rest = Buffer.from(all.subarray(end + 1));
      for (const line of all.subarray(0, Math.max(0, end)).toString('utf8').split('\n'))
        if (line.startsWith('{')) take(JSON.parse(line) as LogLine);
    }
  } finally {
    closeSync(file);
  }
}

export function removeServerLog(dataDir: string): void {
  const folder = join(dataDir, 'postgres', 'scale-log');
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder)) rmSync(join(folder, name), { force: true });
}
