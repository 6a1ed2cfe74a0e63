import { readServerLog } from '../server-log.js';

/** The statements by which work is claimed and stored, by what they begin with. */
const STATEMENTS: Record<string, RegExp> = {
  'claim: next agent': /^SELECT agent_id, account_id FROM unnest/,
  'claim: turn': /^WITH conversation AS MATERIALIZED/,
  'claim: due schedules': /^SELECT s\.\*, a\.status AS agent_status/,
  'claim: unsent executions': /^UPDATE executions SET send_at = now\(\)/,
  'claim: webhook deliveries': /^WITH RECURSIVE behind/,
  'relay: next events': /^WITH done AS \(UPDATE outbox/,
  'send: store messages': /^WITH agent AS MATERIALIZED \( SELECT agent_id, account_id, status/,
  'complete: end a turn': /^WITH batch AS \( UPDATE messages SET status = 'read', read_at = now\(\), turn_id/,
};

const MESSAGE = /^duration: ([\d.]+) ms {2}execute [^:]*: (.*)$/s;

/** How long each took inside PostgreSQL, in ms. */
export function statementTimes(dataDir: string): Map<string, number[]> {
  const times = new Map<string, number[]>(Object.keys(STATEMENTS).map((name) => [name, []]));
  readServerLog(dataDir, ({ message }) => {
    const [, ms, text = ''] = MESSAGE.exec(message) ?? [];
    if (ms === undefined) return;
    const line = text.replace(/\s+/g, ' ').trim();
    for (const [name, begin] of Object.entries(STATEMENTS)) if (begin.test(line)) times.get(name)?.push(Number(ms));
  });
  return times;
}
