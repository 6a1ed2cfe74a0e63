import type { Database, Transaction } from '#lib/database';

/** A registration that waits for its email's verification. */
export interface Waiting {
  id: string;
  password_hash: string;
  code_hash: string | null;
  is_open: boolean;
}

const CODE_LIFETIME = '1 hour';
/** How long a registration waits; another code can be asked for until then. */
const KEPT_FOR = '24 hours';
/** Of one email; each may cost a verification the check of a password. The oldest goes first. */
const MAX_WAITING = 8;

/** Null as `codeHash`: no code lets it in. True when the email is somebody's already. */
export async function addRegistration(
  tx: Transaction,
  registration: { id: string; email: string; passwordHash: string },
  codeHash: string,
): Promise<boolean> {
  const { id, email, passwordHash } = registration;
  const [known] = await tx.query(`SELECT 1 FROM users WHERE email = $1 AND verified_at IS NOT NULL`, [email]);
  await tx.query(
    `INSERT INTO registrations (id, email, password_hash, code_hash, code_expires_at)
     VALUES ($1, $2, $3, $4, now() + $5::interval)`,
    [id, email, passwordHash, known ? null : codeHash, CODE_LIFETIME],
  );
  await tx.query(
    `DELETE FROM registrations WHERE id IN (
       SELECT id FROM registrations WHERE email = $1 ORDER BY created_at DESC, id DESC OFFSET $2)`,
    [email, MAX_WAITING],
  );
  return known !== undefined;
}

/** Newest first. */
export function waitingRegistrations(database: Database, email: string): Promise<Waiting[]> {
  return database.query<Waiting>(
    `SELECT id, password_hash, code_hash, code_expires_at > now() AS is_open FROM registrations
      WHERE email = $1 AND created_at > now() - $2::interval ORDER BY created_at DESC, id DESC LIMIT $3`,
    [email, KEPT_FOR, MAX_WAITING],
  );
}

/** Gives a registration another code with tries of its own. False when it is gone. */
export async function renewCode(database: Database, id: string, codeHash: string): Promise<boolean> {
  const changed = await database.query(
    `UPDATE registrations SET code_hash = $2, code_expires_at = now() + $3::interval, code_tries = 0
      WHERE id = $1 RETURNING id`,
    [id, codeHash, CODE_LIFETIME],
  );
  return changed.length > 0;
}

/** False when the code has no try left. */
export async function spendTry(database: Database, id: string, maxTries: number): Promise<boolean> {
  const spent = await database.query(
    `UPDATE registrations SET code_tries = code_tries + 1 WHERE id = $1 AND code_tries < $2 RETURNING id`,
    [id, maxTries],
  );
  return spent.length > 0;
}

/** Takes the registration with this very code. False when it is gone, or has another one by now. */
export async function takeRegistration(tx: Transaction, { id, code_hash }: Waiting): Promise<boolean> {
  const taken = await tx.query(`DELETE FROM registrations WHERE id = $1 AND code_hash = $2 RETURNING id`, [
    id,
    code_hash,
  ]);
  return taken.length > 0;
}

export async function forgetRegistrations(tx: Transaction, ...emails: string[]): Promise<void> {
  await tx.query(`DELETE FROM registrations WHERE email = ANY($1)`, [emails]);
}

export async function sweepRegistrations(database: Database): Promise<void> {
  await database.query(
    `DELETE FROM registrations WHERE id IN (
       SELECT id FROM registrations WHERE created_at < now() - $1::interval LIMIT 10000)`,
    [KEPT_FOR],
  );
}
