import { accountCredentials } from '#lib/nats-auth';
import { connect, credsAuthenticator } from '@nats-io/transport-node';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { accountSeedOf, type BenchRoost } from './bench-roost.js';

export interface Counted {
  /** Statements that Postgres was sent, BEGIN and COMMIT included. */
  statements: number;
  /** Transactions that wrote, each of which waits for the disk unless a neighbour's flush carries it. */
  commits: number;
  /** Requests between services. */
  requests: number;
  /** Everything on the bus: requests, answers, events, acknowledgements, hints, live deltas. */
  busMessages: number;
  /** By the first words of the statement or the subject, most frequent first. */
  details: Map<string, number>;
}

/**
 * Counts what `turns` turns cost in round trips, less what an idle Roost does in the same time. Logging every
 * statement makes Roost slower, so nothing is timed meanwhile.
 */
export async function countPerTurn(roost: BenchRoost, turns: number, work: () => Promise<void>): Promise<Counted> {
  const client = new pg.Client({ connectionString: roost.databaseUrl });
  await client.connect();
  const logFile = join(roost.dataDir, 'logs', 'postgres.log');
  try {
    for (const setting of [`log_statement = 'all'`, `log_line_prefix = '%a|'`])
      await client.query(`ALTER SYSTEM SET ${setting}`);
    await client.query(`SELECT pg_reload_conf()`);
    await sleep(500);
    const during = await watch(roost, logFile, async () => {
      await work();
      // What follows a turn belongs to it: relay, consumers.
      await sleep(1_000);
    });
    const idle = await watch(roost, logFile, () => sleep(3_000));
    return perTurn(during, idle, turns);
  } finally {
    await client.query(`ALTER SYSTEM RESET ALL`);
    await client.query(`SELECT pg_reload_conf()`);
    await client.end();
  }
}

interface Watched {
  ms: number;
  counts: Map<string, number>;
}

async function watch(roost: BenchRoost, logFile: string, work: () => Promise<void>): Promise<Watched> {
  const creds = await accountCredentials(accountSeedOf(roost.dataDir), 'bench');
  const authenticator = credsAuthenticator(new TextEncoder().encode(creds));
  const connection = await connect({ servers: roost.natsUrl, authenticator });
  const counts = new Map<string, number>();
  const count = (what: string) => counts.set(what, (counts.get(what) ?? 0) + 1);
  connection.subscribe('>', { callback: (_, message) => void count(`bus ${kindOf(message.subject, message.reply)}`) });
  await connection.flush();
  const from = readFileSync(logFile).length;
  const begin = performance.now();
  await work();
  const ms = performance.now() - begin;
  await connection.close();
  const lines = readFileSync(logFile).subarray(from).toString('utf8').split('\n');
  lines.forEach((line, at) => {
    const [, service, statement] = /^roost-(\w+)\|LOG:\s+(?:execute [^:]*|statement): (.*)$/.exec(line) ?? [];
    if (service) count(`sql ${service}: ${headOf(statement ?? '', lines, at)}`);
  });
  return { ms, counts };
}

/** The statement's first words; the lines of one that has several follow it behind a tab. */
function headOf(statement: string, lines: string[], at: number): string {
  const text = [statement];
  for (let next = at + 1; lines[next]?.startsWith('\t') && next < at + 4; next++) text.push(lines[next] ?? '');
  return text.join(' ').replace(/\s+/g, ' ').trim().slice(0, 70);
}

function kindOf(subject: string, reply: string | undefined): string {
  if (subject.startsWith('_INBOX.')) return 'answer';
  if (subject.startsWith('$JS.ACK.')) return 'ack';
  if (subject.startsWith('$JS.')) return 'jetstream';
  if (subject.startsWith('events.')) return subject;
  if (subject.startsWith('workspace.'))
    return `${reply ? 'request ' : ''}workspace.*.${subject.split('.').slice(2).join('.')}`;
  const name = /^(live|interrupt)\./.exec(subject)?.[1] ?? subject;
  return reply ? `request ${name}` : name;
}

function perTurn(during: Watched, idle: Watched, turns: number): Counted {
  const details = new Map<string, number>();
  const sum = { statements: 0, commits: 0, requests: 0, busMessages: 0 };
  for (const [what, count] of during.counts) {
    const own = (count - ((idle.counts.get(what) ?? 0) * during.ms) / idle.ms) / turns;
    if (own < 0.02) continue;
    details.set(what, own);
    if (what.startsWith('sql ')) sum.statements += own;
    if (/^sql \w+: COMMIT/.test(what)) sum.commits += own;
    if (what.startsWith('bus request ')) sum.requests += own;
    if (what.startsWith('bus ')) sum.busMessages += own;
  }
  return { ...sum, details: new Map([...details].sort(([, a], [, b]) => b - a)) };
}
