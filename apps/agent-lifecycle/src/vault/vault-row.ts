import { SECRET_FIELDS, snakeCase, type VaultCredential, type VaultGrant, type VaultSecret } from '#lib/contracts';

/** A row of `vault_secrets` as Postgres returns it, with how many grants there are. */
export interface SecretRow {
  id: string;
  account_id: string;
  name: string;
  description: string | null;
  kind: VaultCredential['kind'];
  settings: VaultSecret['settings'];
  sealed_value: string;
  hosts: string[];
  methods: string[] | null;
  path_prefixes: string[] | null;
  placements: VaultSecret['placements'];
  grant_count: number;
  last_used_at: Date | null;
  last_used_by: string | null;
  rotated_at: Date;
  created_at: Date;
  updated_at: Date;
}

/** A row of `vault_grants` with what it takes from its secret: bigint as text. */
export interface GrantRow {
  id: string;
  account_id: string;
  secret_id: string;
  agent_id: string;
  env_name: string | null;
  placeholder: string | null;
  /** `ask`: a person is asked before a request carries it. */
  mode: 'always' | 'ask';
  use_count: string;
  last_used_at: Date | null;
  refusal_count: string;
  last_refused_at: Date | null;
  last_refusal: string | null;
  created_at: Date;
  secret: string;
}

export const secretOf = (row: SecretRow): VaultSecret => ({
  id: row.id,
  name: row.name,
  kind: row.kind,
  description: row.description,
  hosts: row.hosts,
  methods: row.methods,
  pathPrefixes: row.path_prefixes,
  placements: row.placements,
  settings: row.settings,
  grantCount: row.grant_count,
  lastUsedAt: row.last_used_at,
  lastUsedBy: row.last_used_by,
  rotatedAt: row.rotated_at,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
});

export const grantOf = (row: GrantRow): VaultGrant => ({
  id: row.id,
  secretId: row.secret_id,
  secret: row.secret,
  agentId: row.agent_id,
  envName: row.env_name,
  ask: row.mode === 'ask',
  useCount: Number(row.use_count),
  lastUsedAt: row.last_used_at,
  refusalCount: Number(row.refusal_count),
  lastRefusedAt: row.last_refused_at,
  lastRefusal: row.last_refusal,
  createdAt: row.created_at,
});

/** What of a credential may be shown, by the names of the wire. */
export function settingsOf({ kind: _, ...credential }: VaultCredential): VaultSecret['settings'] {
  return Object.fromEntries(
    Object.entries(credential)
      .filter(([field, value]) => value !== undefined && !SECRET_FIELDS.has(field))
      .map(([field, value]) => [snakeCase(field), value as string | string[]]),
  );
}
