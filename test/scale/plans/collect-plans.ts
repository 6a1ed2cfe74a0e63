import type pg from 'pg';
import { readServerLog } from '../server-log.js';
import { drawn, faultsOf, type PlanNode } from './check-plan.js';
import { reasonOf } from './exceptions.js';

export interface Statement {
  service: string;
  text: string;
  times: number;
  /** Of the worst of its plans. */
  faults: string[];
  plan: string;
  /** Why its faults are none; undefined where nobody gave a reason. */
  reason: string | undefined;
}

const MESSAGE = /^duration: [\d.]+ ms {2}plan:\n(\{.*\})\s*$/s;

/** Every statement that the services ran while plans were logged, with what of it grows with the tables. */
export async function collectPlans(dataDir: string, database: pg.Client): Promise<Statement[]> {
  const { rows } = await database.query<{ name: string; rows: number }>(
    `SELECT relname AS name, max(reltuples)::float8 AS rows FROM pg_class WHERE relkind = 'r' GROUP BY relname`,
  );
  const sizes = new Map(rows.map(({ name, rows: count }) => [name, count]));
  const found = new Map<string, Statement>();
  readServerLog(dataDir, ({ application_name: service = '', message }) => {
    const [, json] = MESSAGE.exec(message) ?? [];
    if (json === undefined || !service.startsWith('roost-')) return;
    const { 'Query Text': text = '', Plan: plan } = JSON.parse(json) as { 'Query Text'?: string; Plan: PlanNode };
    const key = `${service} ${text.replace(/\s+/g, ' ').trim()}`;
    const faults = faultsOf(plan, (table) => sizes.get(table) ?? 0);
    const known = found.get(key);
    if (known) known.times += 1;
    if (known && known.faults.length >= faults.length) return;
    found.set(key, {
      service: service.slice('roost-'.length),
      text: key.slice(service.length + 1),
      times: known?.times ?? 1,
      faults,
      plan: drawn(plan),
      reason: faults.length > 0 ? reasonOf(key) : undefined,
    });
  });
  return [...found.values()].sort((a, b) => b.faults.length - a.faults.length || b.times - a.times);
}
