/** Rows looked at for one batch, those due for longest. An account has 1,000 schedules unless its quota is raised. */
const WINDOW = 10_000;
/** Of a batch, so that others who take one at the same time find something else. */
const CANDIDATES = 3;

/**
 * SQL that locks up to `$1` rows that are due and returns `id`: first one of each account, then a second of each, and so
 * on, those due for longest first. So a thousand schedules of one account at the same minute delay another's by its position
 * among the accounts. Rows that another transaction holds are passed over.
 */
export function fairBatch(table: 'schedules' | 'executions', dueAt: 'next_run_at' | 'send_at', now: string): string {
  return `
    SELECT due.id FROM (
      SELECT id, nth, due_at FROM (
        SELECT id, due_at, row_number() OVER (PARTITION BY account_id ORDER BY due_at) AS nth FROM (
          SELECT id, account_id, ${dueAt} AS due_at FROM ${table} WHERE ${dueAt} <= ${now} ORDER BY ${dueAt} LIMIT ${WINDOW}
        ) AS due_longest
      ) AS numbered ORDER BY nth, due_at LIMIT $1 * ${CANDIDATES}
    ) AS candidate JOIN ${table} AS due ON due.id = candidate.id
    WHERE due.${dueAt} <= ${now} ORDER BY candidate.nth, candidate.due_at LIMIT $1 FOR UPDATE OF due SKIP LOCKED`;
}
