import { createHash } from 'node:crypto';
import { smallAccount } from './sizes.js';
import type { Filling } from './steps.js';

/** Of the account that is neither large nor empty. */
export const SMALL_ACCOUNT_KEY = `roost_sk_${'scale'.repeat(8)}`;

/** Messages span so many days, of which runs are kept for 90 and what fired for 30. */
export const DAYS = 330;

/** A number in [0, 1) that follows from n, so that what is filled is the same each time. */
const HELPERS = `
  CREATE FUNCTION scale.u(n bigint, salt bigint) RETURNS float8 IMMUTABLE PARALLEL SAFE LANGUAGE sql AS
  $$ SELECT (hashint8extended(n, salt) & 9007199254740991)::float8 / 9007199254740992 $$;
  CREATE FUNCTION scale.zipf(u float8, size bigint) RETURNS bigint IMMUTABLE PARALLEL SAFE LANGUAGE sql AS
  $$ SELECT least(size, floor(power(size + 1, u))::bigint) $$`;

/** Accounts by number: the first is the largest. */
export async function makeAccounts({ database, sizes, localAccount }: Filling): Promise<void> {
  await database.query(HELPERS);
  await database.query(
    `CREATE TABLE scale.accounts (n integer PRIMARY KEY, id uuid NOT NULL, created_at timestamptz NOT NULL)`,
  );
  await database.query(
    `INSERT INTO scale.accounts SELECT n, CASE WHEN n = 1 THEN $2::uuid ELSE uuidv7(at - now()) END, at
     FROM generate_series(1, $1::int) n, LATERAL (SELECT now() - interval '${DAYS + 40} days' + n * interval '1 second' AS at) made`,
    [sizes.accounts, localAccount],
  );
  await database.query(`ANALYZE scale.accounts`);
}

export async function fillGateway({ database, sizes }: Filling): Promise<void> {
  await database.query(
    `INSERT INTO gateway.accounts (id, name, agents_enabled, created_at)
     SELECT id, 'account-' || n, true, created_at FROM scale.accounts WHERE n > 1`,
  );
  await database.query(
    `INSERT INTO gateway.users (id, account_id, email, password_hash, verified_at, created_at)
     SELECT uuidv7(created_at - now()), id, 'user-' || n || '@example.test', 'none', created_at, created_at FROM scale.accounts WHERE n > 1`,
  );
  await database.query(
    `INSERT INTO gateway.api_keys (id, account_id, name, prefix, hash, created_at)
     SELECT uuidv7(created_at - now()), id, 'ci', 'roost_sk_' || left(md5(n::text), 4),
       CASE WHEN n = $1 THEN $2 ELSE encode(sha256(id::text::bytea), 'hex') END, created_at
     FROM scale.accounts WHERE n > 1`,
    [smallAccount(sizes), createHash('sha256').update(SMALL_ACCOUNT_KEY).digest('hex')],
  );
}
