import { recordAudit } from '#lib/audit';
import { EmailAddress, RoostError } from '#lib/contracts';
import type { Transaction } from '#lib/database';
import { forgetRegistrations } from './registrations.repository.js';
import {
  addUser,
  findLinkedUser,
  findUser,
  linkSubject,
  lockEmail,
  type User,
  verifyEmail,
} from './users.repository.js';

/** Who signed in elsewhere, as a provider or a trusted issuer states it. */
export interface Profile {
  /** Never changes and is never given to another user of the provider; an email does and is. */
  subject: string;
  email: string | undefined;
  isEmailVerified: boolean;
}

export interface LinkRules {
  /** Whether somebody whom nobody here knows gets an account. */
  createsAccounts: boolean;
  /** Whether such an account has the AI-agents feature. */
  agentsEnabled: boolean;
}

/**
 * The user of a profile: the one its subject was linked to; else the one with the same email, which the provider must
 * have verified; else a new one. Errors: ACCESS_DENIED.
 */
export async function userOf(
  tx: Transaction,
  provider: string,
  { subject, email, isEmailVerified }: Profile,
  { createsAccounts, agentsEnabled }: LinkRules,
): Promise<User> {
  const linked = await findLinkedUser(tx, provider, subject);
  if (linked) return linked;
  // As it is kept here: an address that only looks like one of ours must not become it by being folded.
  const address = EmailAddress.safeParse(email);
  if (!address.success || !isEmailVerified)
    throw new RoostError('ACCESS_DENIED', `${provider} has not verified your email: verify it there, then begin again`);
  await lockEmail(tx, address.data);
  const known = await verifyEmail(tx, address.data);
  if (known === undefined && !createsAccounts) throw registrationIsClosed();
  const userId = known ?? (await addUser(tx, address.data, agentsEnabled));
  // Whoever registered the email and waits for its code has to prove it in vain: it has its owner now.
  await forgetRegistrations(tx, address.data);
  await linkSubject(tx, provider, subject, userId);
  const user = await findUser(tx, userId);
  if (!user) throw new Error('the user that signed in is not there');
  const { accountId } = user;
  const actor = { type: 'user', id: userId } as const;
  if (known === undefined)
    await recordAudit(tx, { action: 'account.created', target: { type: 'account', id: accountId }, accountId, actor });
  await recordAudit(tx, { action: 'user.linked', target: actor, accountId, actor, fields: [provider] });
  return user;
}

export const registrationIsClosed = () =>
  new RoostError('ACCESS_DENIED', 'registration is closed here: ask the operator for an account');
