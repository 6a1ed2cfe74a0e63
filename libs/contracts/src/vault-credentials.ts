import { z } from 'zod';
import { wire } from './wire.js';

/** What a secret of the vault is, by its kind (docs/guide/vault.md). */

/** A shorter value would be found by chance in what hosts answer, and be taken out of it. */
const MIN_SECRET = 8;

/** Goes on a request: no character that could end a header or begin another. */
const PRINTABLE = /^[\x20-\x7e]*$/;
const sent = (max: number) =>
  z.string().min(1).max(max).regex(PRINTABLE, 'must be printable ASCII, without line breaks');
const secretValue = (max = 8_192) =>
  z
    .string()
    .min(MIN_SECRET, `must have at least ${MIN_SECRET} characters`)
    .max(max)
    .regex(PRINTABLE, 'must be printable ASCII, without line breaks');
const HeaderName = z
  .string()
  .regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$/, 'must be a name of an HTTP header')
  .refine((name) => !OF_CONNECTION.has(name.toLowerCase()), 'is a header that belongs to the connection');
/** What a program sends itself, or a proxy, that decides how a host reads a request. */
const OF_CONNECTION = new Set(
  [
    'host connection content-length transfer-encoding te trailer upgrade keep-alive expect',
    'proxy-authorization proxy-connection proxy-authenticate content-encoding content-type',
  ].flatMap((names) => names.split(' ')),
);

const Bearer = wire({
  kind: z.literal('bearer').describe('`Authorization: Bearer …`.'),
  token: secretValue().describe('The token.'),
});
const Basic = wire({
  kind: z.literal('basic').describe('`Authorization: Basic …`, of user name and password.'),
  username: sent(500)
    .refine((name) => !name.includes(':'), 'must hold no colon')
    .describe('The user name; no secret.'),
  password: secretValue().describe('The password.'),
});
const Header = wire({
  kind: z.literal('header').describe('A header of any name.'),
  name: HeaderName.describe('The header’s name, e.g. `X-Api-Key`.'),
  value: secretValue().describe('Its value.'),
});
const Query = wire({
  kind: z.literal('query').describe('A parameter of the query.'),
  name: z
    .string()
    .regex(/^[A-Za-z0-9._~-]{1,100}$/, 'must be letters, digits, ., _, ~ or -')
    .describe('The parameter’s name, e.g. `key`.'),
  value: secretValue().describe('Its value.'),
});
const AwsSigv4 = wire({
  kind: z.literal('aws_sigv4').describe('A signature of the request, as AWS and what speaks its S3 takes it.'),
  accessKeyId: sent(200).describe('The id of the access key; no secret.'),
  secretAccessKey: secretValue(200).describe('The access key.'),
  sessionToken: secretValue().optional().describe('Of temporary credentials.'),
  region: z
    .string()
    .regex(/^[a-z0-9-]{1,50}$/, 'must be like eu-central-1')
    .describe('The region, e.g. `eu-central-1`.'),
  service: z
    .string()
    .regex(/^[a-z0-9-]{1,50}$/, 'must be like s3')
    .describe('The service’s name in signatures, e.g. `s3`.'),
});
const Oauth2 = wire({
  kind: z
    .literal('oauth2')
    .describe('`Authorization: Bearer …` with an access token, which Roost fetches and renews by itself.'),
  tokenUrl: z.string().max(2_048).describe('Where tokens are given out.'),
  clientId: sent(500).describe('The client’s id; no secret.'),
  clientSecret: secretValue().optional().describe('The client’s secret; a public client has none.'),
  refreshToken: secretValue()
    .optional()
    .describe(
      'With one, tokens are renewed by it; when the server sends another, that is kept. Without: client credentials.',
    ),
  scope: sent(2_000).optional().describe('The scopes that are asked for.'),
  clientAuth: z
    .enum(['basic', 'post'])
    .default('basic')
    .describe('How the client names itself: `basic` in the header (RFC 6749), `post` in the body.'),
});
const GithubApp = wire({
  kind: z
    .literal('github_app')
    .describe('`Authorization: Bearer …` with a token of a GitHub App’s installation, which Roost fetches by itself.'),
  appId: z
    .string()
    .regex(/^[A-Za-z0-9._-]{1,100}$/, 'must be the id of an app')
    .describe('The app’s id or client id.'),
  installationId: z
    .string()
    .regex(/^\d{1,20}$/, 'must be digits')
    .describe('The installation’s id.'),
  privateKey: z.string().min(100).max(20_000).describe('The app’s private key, PEM.'),
  apiUrl: z
    .string()
    .max(2_048)
    .default('https://api.github.com')
    .describe('GitHub’s API; another for GitHub Enterprise.'),
  repositories: z
    .array(z.string().regex(/^[A-Za-z0-9._-]{1,100}$/, 'must be the name of a repository, without its owner'))
    .min(1)
    .max(100)
    .optional()
    .describe('The only repositories that the token is for; all of the installation if not given.'),
});

export const VaultCredential = z
  .discriminatedUnion('kind', [Bearer, Basic, Header, Query, AwsSigv4, Oauth2, GithubApp])
  .meta({
    id: 'VaultCredential',
    description: 'What is put on requests. Sealed; its secret parts are never returned.',
  });
export type VaultCredential = z.output<typeof VaultCredential>;

export const VAULT_KINDS = ['bearer', 'basic', 'header', 'query', 'aws_sigv4', 'oauth2', 'github_app'] as const;
export type VaultKind = (typeof VAULT_KINDS)[number];

/** Fields of credentials that are secret: everything else may be shown. */
export const SECRET_FIELDS: ReadonlySet<string> = new Set([
  ...['token', 'password', 'value', 'secretAccessKey', 'sessionToken'],
  ...['clientSecret', 'refreshToken', 'privateKey'],
]);
