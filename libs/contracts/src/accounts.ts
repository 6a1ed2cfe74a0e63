import { z } from 'zod';
import { event, request } from './request.js';
import { AccountId, Count, Timestamp, wire } from './wire.js';

/**
 * What an operator does to accounts, for `npm run admin`. Served by the gateway to services on their own behalf: who
 * holds a service's credentials on the bus is trusted; a request for an account is refused with ACCESS_DENIED.
 */

/** An email of a user of the account, its id, or its name (`local` is the account of a fresh machine). */
const who = z.string().min(1).max(254);
/**
 * An address as it is stored and compared: ASCII, lower case. Other letters are refused rather than folded: the Kelvin
 * sign in lower case is a `k`, so that somebody else's address would become the same account.
 */
export const EmailAddress = z
  .email()
  .max(254)
  .toLowerCase()
  .describe('An email address: ASCII; capitals do not matter.');
export const Password = z.string().min(8).max(1_000).describe('A password: 8 to 1,000 characters.');
export const AdminAccount = wire({
  accountId: AccountId,
  name: z.string().describe('Its name: `local` for the account of a fresh machine, else its id.'),
  emails: z.array(z.string()).describe('The emails of its users.'),
  agentsEnabled: z.boolean().describe('Whether it may have agents.'),
  // An older gateway knows no operators.
  isOperator: z.boolean().default(false).describe('Whether it may see and change all accounts.'),
  keyCount: Count.describe('Its API keys that were not revoked.'),
  createdAt: Timestamp.describe('When it was made.'),
}).meta({ id: 'AdminAccount', description: 'An account, as operators see it.' });
export type AdminAccount = z.output<typeof AdminAccount>;

/** Makes an account with a user whose email counts as verified. Errors: ALREADY_EXISTS, VALIDATION_ERROR. */
export const createAccount = request('gateway.account.create', {
  input: wire({ email: EmailAddress, password: Password, agentsEnabled: z.boolean() }),
  output: AdminAccount,
});
/** Takes effect in every gateway at once. Errors: NOT_FOUND. */
export const setAgentsEnabled = request('gateway.account.set-agents-enabled', {
  input: wire({ account: who, enabled: z.boolean() }),
  output: AdminAccount,
});
/** Whether the account may see and change all accounts, over the API too. Takes effect at once. Errors: NOT_FOUND. */
export const setOperator = request('gateway.account.set-operator', {
  input: wire({ account: who, isOperator: z.boolean() }),
  output: AdminAccount,
});
/**
 * Has a trusted issuer's subject sign in as the user with the email, for issuers that do not state verified emails.
 * Errors: NOT_FOUND, ALREADY_EXISTS (the subject is another user's).
 */
export const linkIdentity = request('gateway.account.link-identity', {
  input: wire({ email: EmailAddress, issuer: z.string().min(1).max(2_048), subject: z.string().min(1).max(255) }),
  output: AdminAccount,
});
/** Oldest first. */
export const listAccounts = request('gateway.account.list', {
  input: wire({ page: z.number().int().min(1), limit: z.number().int().min(1).max(100) }),
  output: wire({ accounts: z.array(AdminAccount) }),
});

/** The account is gone: nobody can sign in to it. Each service removes what it keeps of it. */
export const accountDeleted = event('gateway.account.deleted', wire({ accountId: AccountId }));
/** With everything it owns, in every service; its streams end at once. Errors: NOT_FOUND, also the second time. */
export const deleteAccount = request('gateway.account.delete', {
  input: wire({ account: who }),
  output: wire({ accountId: AccountId }),
});

const AdminKey = { id: z.uuid(), name: z.string(), prefix: z.string(), createdAt: Timestamp };
/** The key in the clear, this once. Errors: NOT_FOUND (account). */
export const createAccountKey = request('gateway.key.create', {
  input: wire({ account: who, name: z.string().min(1).max(100) }),
  output: wire({ ...AdminKey, key: z.string() }),
});
export const listAccountKeys = request('gateway.key.list', {
  input: wire({ account: who }),
  output: wire({ keys: z.array(wire({ ...AdminKey, lastUsedAt: Timestamp.nullable() })) }),
});
/** Errors: NOT_FOUND. */
export const revokeAccountKey = request('gateway.key.revoke', {
  input: wire({ account: who, keyId: z.uuid() }),
  output: wire({ id: z.uuid() }),
});
