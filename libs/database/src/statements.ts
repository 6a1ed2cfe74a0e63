import type { ClientBase } from 'pg';

/** One row of a query, before anybody knows better. */
export type Row = Record<string, unknown>;

/** Runs one statement and gives its rows, also those of RETURNING. */
export type Query = <R extends object = Row>(sql: string, parameters?: unknown[]) => Promise<R[]>;

/** Statements beyond this many run without a name: text made at run time must not fill the server's memory. */
const MAX_NAMES = 1_000;
/** A migration by a newer replica changed what a prepared statement gives. */
const PLAN_IS_OUTDATED = /cached plan must not change result type/;

const names = new Map<string, string>();
let named = 0;

/**
 * Runs statements on one connection. The server keeps the plan of each under a name, since planning costs more than
 * carrying out most of ours. `maxMs`: how long each may take, where that is not what the connection's may.
 */
export function statementsOn(connection: ClientBase, maxMs?: number): Query {
  return async <R extends object>(sql: string, parameters: unknown[] = []) => {
    const name = nameOf(sql);
    const limit = maxMs ? { query_timeout: maxMs } : {};
    try {
      const { rows } = await connection.query<R & Row>({
        ...(name ? { name } : {}),
        ...limit,
        text: sql,
        values: parameters,
      });
      return rows;
    } catch (error) {
      if (error instanceof Error && PLAN_IS_OUTDATED.test(error.message)) names.delete(sql);
      throw error;
    }
  };
}

function nameOf(sql: string): string | undefined {
  const known = names.get(sql);
  if (known !== undefined || names.size >= MAX_NAMES) return known;
  const name = `s${++named}`;
  names.set(sql, name);
  return name;
}
