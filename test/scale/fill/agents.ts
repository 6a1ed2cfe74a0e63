import { DAYS } from './accounts.js';
import type { Filling } from './steps.js';

const AT_ONCE = 20_000;

/** Of every so many agents one is paused and has a message that waits. */
export const PAUSED_EACH = 200;
/** What is sent to them has to be told apart. */
export const STATUS = `CASE WHEN n % ${PAUSED_EACH} = 0 THEN 'paused' ELSE 'active' END`;

/** Each account has one agent; of the others the largest has every twentieth (Zipf). */
export async function makeAgents({ database, sizes }: Filling): Promise<void> {
  await database.query(
    `CREATE TABLE scale.agents (n integer NOT NULL, id uuid NOT NULL, account_id uuid NOT NULL, created_at timestamptz NOT NULL)`,
  );
  await database.query(
    `INSERT INTO scale.agents SELECT made.n, uuidv7(made.at - now()), a.id, made.at FROM (
       SELECT n, CASE WHEN n <= $2 THEN n ELSE scale.zipf(scale.u(n, 1), $2) END AS account,
         now() - interval '${DAYS + 30} days' + n * (interval '29 days' / $1::int) AS at
       FROM generate_series(1, $1::int) n
     ) made JOIN scale.accounts a ON a.n = made.account ORDER BY made.n`,
    [sizes.agents, sizes.accounts],
  );
  await database.query(`CREATE UNIQUE INDEX ON scale.agents (n)`);
  await database.query(`CREATE INDEX ON scale.agents (account_id)`);
  await database.query(`ANALYZE scale.agents`);
}

/** What agent-lifecycle wrote when they were made, of which the ledger's first entries have become too old to be kept. */
export async function fillLifecycle({ database, sizes, sealer, secrets, log }: Filling): Promise<void> {
  await database.query(`TRUNCATE lifecycle.agents, lifecycle.agent_versions, lifecycle.balance_ledger`);
  for (let from = 1; from <= sizes.agents; from += AT_ONCE) {
    const { rows } = await database.query<{ id: string }>(
      `SELECT id FROM scale.agents WHERE n >= $1 AND n < $2 ORDER BY n`,
      [from, from + AT_ONCE],
    );
    const ids = rows.map(({ id }) => id);
    await database.query(AGENTS, [from, ids.map((id) => sealer.seal(secrets, `agents:${id}`))]);
    if ((from - 1) % (AT_ONCE * 10) === 0) log(`  ${from - 1} agents`);
  }
  await database.query(VERSIONS);
  await database.query(AUDIT);
}

const AGENTS = `
  INSERT INTO lifecycle.agents (id, account_id, name, description, status, pvc_size, session_mode, warmth_window_ms,
    output_token_balance, total_output_tokens_used, system_prompt_type, configuration, secrets, created_at, updated_at)
  SELECT id, account_id, 'agent-' || n, 'Answers questions about orders', ${STATUS}, '1Gi',
    CASE WHEN n % 4 = 0 THEN 'persistent' ELSE 'ephemeral' END, 300000, 100000000, 0, 'append', '{}', sealed, created_at, created_at
  FROM unnest($2::text[]) WITH ORDINALITY AS given (sealed, position)
  JOIN scale.agents ON n = $1::int + given.position - 1 ORDER BY n`;

const VERSIONS = `
  INSERT INTO lifecycle.agent_versions (agent_id, version, account_id, created_at, actor_type, actor_id, changed, settings, secrets)
  SELECT id, 1, account_id, created_at, 'api_key', account_id::text, '{}',
    json_build_object('name', name, 'description', description, 'pvc_size', pvc_size, 'session_mode', session_mode,
      'warmth_window_ms', warmth_window_ms, 'system_prompt', NULL, 'system_prompt_type', system_prompt_type,
      'configuration', configuration)::text, '{}'
  FROM lifecycle.agents`;

const AUDIT = `
  INSERT INTO lifecycle.audit (at, account_id, actor_type, actor_id, action, target_type, target_id, fields, request_id)
  SELECT created_at, account_id, 'api_key', account_id::text, 'agent.created', 'agent', id::text, '{name,description}',
    'req_' || id FROM scale.agents`;
