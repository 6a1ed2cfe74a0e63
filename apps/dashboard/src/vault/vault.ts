import type { NewVaultSecret, VaultCredential, VaultSecret, VaultSecretChange } from '@roost-ai/sdk';
import { queryOptions } from '@tanstack/react-query';
import { roost } from '../api/roost.js';

export const vaultKey = ['vault'] as const;

export const secretsQuery = queryOptions({
  queryKey: [...vaultKey, 'secrets'],
  queryFn: ({ signal }) => roost.vault.list({ signal }).toArray(),
  refetchInterval: 15_000,
});

export const grantsQuery = (agentId: string) =>
  queryOptions({
    queryKey: [...vaultKey, 'grants', agentId],
    queryFn: ({ signal }) => roost.agent(agentId).secrets.list({ signal }),
    refetchInterval: 15_000,
  });

export type Kind = VaultSecret['kind'];

interface FieldWords {
  name: string;
  label: string;
  isSecret?: true;
  isOptional?: true;
  isLong?: true;
  placeholder?: string;
}

/** What each kind of credential is made of, by the names of the API. */
export const KINDS: Record<Kind, { label: string; fields: FieldWords[] }> = {
  bearer: { label: 'Bearer token', fields: [{ name: 'token', label: 'Token', isSecret: true }] },
  basic: {
    label: 'User name and password',
    fields: [
      { name: 'username', label: 'User name' },
      { name: 'password', label: 'Password', isSecret: true },
    ],
  },
  header: {
    label: 'Header',
    fields: [
      { name: 'name', label: 'Name of the header', placeholder: 'X-Api-Key' },
      { name: 'value', label: 'Value', isSecret: true },
    ],
  },
  query: {
    label: 'Parameter of the query',
    fields: [
      { name: 'name', label: 'Name of the parameter', placeholder: 'key' },
      { name: 'value', label: 'Value', isSecret: true },
    ],
  },
  aws_sigv4: {
    label: 'AWS access key',
    fields: [
      { name: 'access_key_id', label: 'Id of the access key' },
      { name: 'secret_access_key', label: 'Secret access key', isSecret: true },
      { name: 'session_token', label: 'Session token', isSecret: true, isOptional: true },
      { name: 'region', label: 'Region', placeholder: 'eu-central-1' },
      { name: 'service', label: 'Service', placeholder: 's3' },
    ],
  },
  oauth2: {
    label: 'OAuth 2',
    fields: [
      { name: 'token_url', label: 'Where tokens are given out', placeholder: 'https://auth.example.com/token' },
      { name: 'client_id', label: 'Client id' },
      { name: 'client_secret', label: 'Client secret', isSecret: true, isOptional: true },
      { name: 'refresh_token', label: 'Refresh token', isSecret: true, isOptional: true },
      { name: 'scope', label: 'Scope', isOptional: true },
    ],
  },
  github_app: {
    label: 'GitHub App',
    fields: [
      { name: 'app_id', label: 'App id' },
      { name: 'installation_id', label: 'Installation id' },
      { name: 'private_key', label: 'Private key (PEM)', isSecret: true, isLong: true },
    ],
  },
};

/** Of a form: what is typed. */
export interface SecretDraft {
  name: string;
  kind: Kind;
  hosts: string;
  methods: string;
  paths: string;
  /** Of the credential; all empty: its value stays. */
  values: Record<string, string>;
}

export const draftOf = (secret?: VaultSecret): SecretDraft => ({
  name: secret?.name ?? '',
  kind: secret?.kind ?? 'bearer',
  hosts: secret?.hosts.join('\n') ?? '',
  methods: secret?.methods?.join(' ') ?? '',
  paths: secret?.path_prefixes?.join('\n') ?? '',
  values: {},
});

const words = (text: string) => text.split(/[\s,]+/).filter(Boolean);

/** Saves it; of one that is there, the value only where one is typed. */
export function saveSecret(draft: SecretDraft, secret?: VaultSecret): Promise<VaultSecret> {
  const [methods, paths] = [words(draft.methods.toUpperCase()), words(draft.paths)];
  const where: VaultSecretChange = {
    hosts: words(draft.hosts),
    methods: methods.length > 0 ? methods : null,
    path_prefixes: paths.length > 0 ? paths : null,
  };
  const typed = Object.entries(draft.values).filter(([, value]) => value.trim() !== '');
  const credential = {
    ...Object.fromEntries(typed.map(([name, value]) => [name, value.trim()])),
    kind: draft.kind,
  } as unknown as VaultCredential;
  if (!secret) return roost.vault.create({ ...where, name: draft.name, credential } as NewVaultSecret);
  return roost.vault.update(secret.id, typed.length > 0 ? { ...where, credential } : where);
}
