import { z } from 'zod';
import { event, request } from './request.js';
import { VAULT_KINDS, VaultCredential } from './vault-credentials.js';
import { AccountId, AgentId, Count, Done, pageQuery, Pagination, Timestamp, wire } from './wire.js';

/** Secrets that agents use and never see, and who may use which (docs/guide/vault.md). */

export const VaultSecretId = z.uuid().describe('The secret’s id.');
export const VaultGrantId = z.uuid().describe('The grant’s id.');

/** How `${vault.NAME}` calls it. */
export const SECRET_NAME = '[a-z][a-z0-9_]{0,62}';
export const SecretName = z
  .string()
  .regex(new RegExp(`^${SECRET_NAME}$`), 'must be 1 to 63 of a-z, 0-9 and _, beginning with a letter')
  .meta({ description: 'Its name, one of its kind in the account: a-z, 0-9, `_`. It stays.', examples: ['github'] });

export const VAULT_PLACEMENTS = ['headers', 'query', 'body'] as const;
const placements = z
  .array(z.enum(VAULT_PLACEMENTS))
  .min(1)
  .max(3)
  .describe('Where in a request the placeholder is replaced. In other places it is refused.');
const hosts = z
  .array(z.string().min(1).max(260))
  .min(1)
  .max(20)
  .describe(
    'The only hosts that it is sent to: `api.example.com`, or `*.example.com` for one level below; either with `:port`, 443 if not given.',
  );
const methods = z
  .array(z.string().regex(/^[A-Z][A-Z-]{0,19}$/, 'must be a method like GET'))
  .min(1)
  .max(20)
  .nullable();
const pathPrefixes = z.array(z.string().min(1).max(1_000)).min(1).max(50).nullable();
const description = z.string().max(500).nullable();

const METHODS = 'The only methods; null for all.';
const PATHS =
  'The only paths, with what is below them: `/repos/acme` is `/repos/acme/x` as well, not `/repos/acme2`; null for all.';
const DESCRIPTION = 'What it is for.';

export const VaultSecret = wire({
  id: VaultSecretId,
  name: SecretName,
  kind: z.enum(VAULT_KINDS).describe('What is put on requests.'),
  description: description.describe(DESCRIPTION),
  hosts,
  methods: methods.describe(METHODS),
  pathPrefixes: pathPrefixes.describe(PATHS),
  placements,
  settings: z
    .record(z.string(), z.json())
    .describe('What of the credential is no secret, e.g. `username`, or the `name` of a header.'),
  grantCount: Count.describe('How many agents may use it.'),
  lastUsedAt: Timestamp.nullable().describe('When a request last carried it; null: never.'),
  lastUsedBy: AgentId.nullable().describe('Of which agent that was.'),
  rotatedAt: Timestamp.describe('When its value was last set.'),
  createdAt: Timestamp.describe('When it was made.'),
  updatedAt: Timestamp.describe('When it was last changed.'),
}).meta({ id: 'VaultSecret', description: 'A secret of the account’s vault, without its value.' });
export type VaultSecret = z.output<typeof VaultSecret>;

/** The body of `POST /v1/vault/secrets`. */
export const NewVaultSecret = wire({
  name: SecretName,
  description: description.default(null).describe(DESCRIPTION),
  hosts,
  methods: methods.default(null).describe(METHODS),
  pathPrefixes: pathPrefixes.default(null).describe(PATHS),
  placements: placements
    .optional()
    .describe('Where the placeholder is replaced: `headers` if not given, for kind `query` the query.'),
  credential: VaultCredential,
}).meta({ id: 'NewVaultSecret', description: 'A secret, and where it may go.' });
export type NewVaultSecret = z.output<typeof NewVaultSecret>;

const changes = {
  description: description.optional().describe(DESCRIPTION),
  hosts: hosts.optional(),
  methods: methods.optional().describe(METHODS),
  pathPrefixes: pathPrefixes.optional().describe(PATHS),
  placements: placements.optional(),
  credential: VaultCredential.optional(),
};
/** The body of `PATCH /v1/vault/secrets/{id}`: absent fields stay. */
export const VaultSecretChange = wire(changes);
export type VaultSecretChange = z.output<typeof VaultSecretChange>;

export const VaultGrant = wire({
  id: VaultGrantId,
  secretId: VaultSecretId,
  secret: SecretName,
  agentId: AgentId,
  envName: z
    .string()
    .nullable()
    .describe('The variable of the agent’s environment that holds the placeholder; null: put in by host.'),
  ask: z
    .boolean()
    .describe('Whether a person is asked before a request carries it: an approval of the kind `credential`.'),
  useCount: Count.describe('Requests that carried the secret.'),
  lastUsedAt: Timestamp.nullable().describe('When one last did; null: never.'),
  refusalCount: Count.describe('Requests that were refused, e.g. since the placeholder was sent to another host.'),
  lastRefusedAt: Timestamp.nullable().describe('When one last was; null: never.'),
  lastRefusal: z.string().nullable().describe('Why.'),
  createdAt: Timestamp.describe('Since when.'),
}).meta({ id: 'VaultGrant', description: 'That an agent may use a secret, and what it did with it.' });
export type VaultGrant = z.output<typeof VaultGrant>;

/** The body of `POST /v1/agent/{id}/vault/grants`. */
export const grantVaultFields = {
  secretId: VaultSecretId,
  envName: z
    .string()
    .regex(/^[A-Z_][A-Z0-9_]{0,99}$/, 'must be an environment name: A-Z, 0-9 and _')
    .nullable()
    .default(null)
    .describe(
      'The variable that holds a placeholder in the agent’s sandbox, which is replaced where the secret’s hosts, methods, paths and placements match. Null: the secret is put on every request that matches, for tools that need no key.',
    ),
  ask: z
    .boolean()
    .default(false)
    .describe(
      'Whether a person is asked before a request carries it: each waits for an approval of the kind `credential`.',
    ),
};
export const NewVaultGrant = wire(grantVaultFields).meta({
  id: 'NewVaultGrant',
  description: 'Which secret an agent may use, and how.',
});
export type NewVaultGrant = z.output<typeof NewVaultGrant>;

const grantChanges = {
  ask: z.boolean().describe('Whether a person is asked before a request carries it, from the next request on.'),
};
/** The body of `PATCH /v1/agent/{id}/vault/grants/{grantId}`. */
export const VaultGrantChange = wire(grantChanges);
export type VaultGrantChange = z.output<typeof VaultGrantChange>;

const byId = wire({ secretId: VaultSecretId });

/** A secret's place in a header: `${vault.github}`. */
export const vaultReference = () => new RegExp(`\\$\\{vault\\.(${SECRET_NAME})\\}`, 'g');
/**
 * Headers of a server as they are sent to it, with the values of the secrets that they name. Of the calling account.
 * Errors: VALIDATION_ERROR (there is none of the name, it is not for this address, it goes in no header),
 * SERVICE_UNAVAILABLE (its token cannot be had).
 */
export const openVaultHeaders = request('lifecycle.vault.headers.open', {
  input: wire({
    url: z.string().max(2_048),
    headers: z.record(z.string().max(200), z.string().max(8_192)),
  }),
  output: wire({ headers: z.record(z.string(), z.string()) }),
  timeoutMs: 20_000,
});

/** A grant was revoked or asks no more: nothing of it is to be decided. */
export const vaultGrantSettled = event(
  'lifecycle.vault-grant.settled',
  wire({ accountId: AccountId, agentId: AgentId, grantId: VaultGrantId }),
);

/** `rotated`: with a new value; `updated`: all else. Never the value. */
export const vaultSecretChanged = event(
  'lifecycle.vault-secret.changed',
  wire({
    accountId: AccountId,
    change: z.enum(['created', 'updated', 'rotated', 'deleted']),
    secret: VaultSecret,
    occurredAt: Timestamp,
  }),
);
/** Also `deleted` with its secret; not with its agent. */
export const vaultGrantChanged = event(
  'lifecycle.vault-grant.changed',
  wire({
    accountId: AccountId,
    change: z.enum(['created', 'updated', 'deleted']),
    grant: VaultGrant,
    occurredAt: Timestamp,
  }),
);

/** Errors: VALIDATION_ERROR, ALREADY_EXISTS (the name), QUOTA_EXCEEDED. */
export const createVaultSecret = request('lifecycle.vault.secret.create', {
  input: NewVaultSecret,
  output: VaultSecret,
});
/** By name. */
export const listVaultSecrets = request('lifecycle.vault.secret.list', {
  input: wire({ ...pageQuery }),
  output: wire({
    secrets: z.array(VaultSecret).describe('The secrets of this page, by name.'),
    pagination: Pagination,
  }),
});
/** Errors of all below: NOT_FOUND, also for what is another account's. */
export const getVaultSecret = request('lifecycle.vault.secret.get', { input: byId, output: VaultSecret });
/** The next request carries the new value. Errors: VALIDATION_ERROR, CONFLICT (with another secret of an agent). */
export const updateVaultSecret = request('lifecycle.vault.secret.update', {
  input: wire({ secretId: VaultSecretId, ...changes }),
  output: VaultSecret,
});
/** With its grants. */
export const deleteVaultSecret = request('lifecycle.vault.secret.delete', {
  input: byId,
  output: wire({ id: VaultSecretId, message: Done }),
});

/** Errors: CONFLICT (granted already, the variable is taken, or another secret goes to the same place), QUOTA_EXCEEDED. */
export const createVaultGrant = request('lifecycle.vault.grant.create', {
  input: wire({ agentId: AgentId, ...grantVaultFields }),
  output: VaultGrant,
});
const grants = wire({ grants: z.array(VaultGrant).describe('The oldest first.') });
export const listVaultGrants = request('lifecycle.vault.grant.list', {
  input: wire({ agentId: AgentId }),
  output: grants,
});
export const listVaultGrantsOfSecret = request('lifecycle.vault.grant.of-secret', { input: byId, output: grants });
/** Counts for the next request; the placeholder stays. */
export const updateVaultGrant = request('lifecycle.vault.grant.update', {
  input: wire({ agentId: AgentId, grantId: VaultGrantId, ...grantChanges }),
  output: VaultGrant,
});
/** No further request carries the secret, and open connections that do end. */
export const deleteVaultGrant = request('lifecycle.vault.grant.delete', {
  input: wire({ agentId: AgentId, grantId: VaultGrantId }),
  output: wire({ id: VaultGrantId, message: Done }),
});
