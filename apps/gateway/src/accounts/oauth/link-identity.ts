import { EmailAddress, RoostError } from '#lib/contracts';
import { newId, type Transaction } from '#lib/database';
import { type GatewayConfig, isRegistrationOpen } from '../../config.js';
import { lockEmail, registrationIsClosed, type User } from '../users.js';
import type { Profile, SignInProviderName } from './sign-in-provider.js';

const USER = `SELECT u.id, u.account_id AS "accountId", u.email, u.created_at AS "createdAt", a.agents_enabled AS "agentsEnabled"
  FROM users u JOIN accounts a ON a.id = u.account_id`;

/**
 * The user of a provider's profile: the one it was linked to; else the one with the same email, which the provider must
 * have verified; else a new one. Errors: ACCESS_DENIED.
 */
export async function userOf(
  tx: Transaction,
  provider: SignInProviderName,
  { subject, email, isEmailVerified }: Profile,
  config: GatewayConfig,
): Promise<User> {
  const [linked] = await tx.query<User>(
    `${USER} JOIN user_identities i ON i.user_id = u.id WHERE i.provider = $1 AND i.subject = $2`,
    [provider, subject],
  );
  if (linked) return linked;
  // As it is kept here: an address that only looks like one of ours must not become it by being folded.
  const address = EmailAddress.safeParse(email);
  if (!address.success || !isEmailVerified)
    throw new RoostError('ACCESS_DENIED', `${provider} has not verified your email: verify it there, then begin again`);
  await lockEmail(tx, address.data);
  const userId = (await takeOver(tx, address.data)) ?? (await register(tx, address.data, config));
  // Whoever registered the email and waits for its code has to prove it in vain: it has its owner now.
  await tx.query(`DELETE FROM registrations WHERE email = $1`, [address.data]);
  await tx.query(
    `INSERT INTO user_identities (provider, subject, user_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`,
    [provider, subject, userId],
  );
  const [user] = await tx.query<User>(`${USER} WHERE u.id = $1`, [userId]);
  if (!user) throw new Error('the user that signed in is not there');
  return user;
}

/**
 * The user who has the email. One who never verified it may be somebody else who registered it in advance: the password
 * they chose is forgotten.
 */
async function takeOver(tx: Transaction, email: string): Promise<string | undefined> {
  const [user] = await tx.query<{ id: string }>(
    `UPDATE users SET password_hash = CASE WHEN verified_at IS NULL THEN NULL ELSE password_hash END,
       verified_at = coalesce(verified_at, now()), code_hash = NULL
     WHERE email = $1 RETURNING id`,
    [email],
  );
  return user?.id;
}

async function register(tx: Transaction, email: string, config: GatewayConfig): Promise<string> {
  if (!isRegistrationOpen(config)) throw registrationIsClosed();
  const accountId = newId();
  await tx.query(`INSERT INTO accounts (id, name) VALUES ($1::uuid, $1::text)`, [accountId]);
  // Two sign-ins of one new user at once: the second takes what the first made.
  const [user] = await tx.query<{ id: string; account_id: string }>(
    `INSERT INTO users (id, account_id, email, verified_at) VALUES ($1, $2, $3, now())
     ON CONFLICT (email) DO UPDATE SET verified_at = coalesce(users.verified_at, now()),
       password_hash = CASE WHEN users.verified_at IS NULL THEN NULL ELSE users.password_hash END
     RETURNING id, account_id`,
    [newId(), accountId, email],
  );
  if (!user) throw new Error('the new user was not stored');
  if (user.account_id !== accountId) await tx.query(`DELETE FROM accounts WHERE id = $1`, [accountId]);
  return user.id;
}
