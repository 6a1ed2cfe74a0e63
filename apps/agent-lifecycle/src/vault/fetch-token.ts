import { RoostError, type VaultCredential } from '#lib/contracts';
import { guardedRequest, type GuardPolicy } from '#lib/net-guard';
import { SignJWT } from 'jose';
import { createPrivateKey } from 'node:crypto';
import type { Dispatcher } from 'undici';
import { z } from 'zod';

export interface FetchedToken {
  token: string;
  lifeMs: number;
  /** The one to use next time, where the server sent another. */
  refreshToken?: string | undefined;
}

type Oauth2 = Extract<VaultCredential, { kind: 'oauth2' }>;
type GithubApp = Extract<VaultCredential, { kind: 'github_app' }>;

const TIMEOUT_MS = 10_000;
const MAX_ANSWER_BYTES = 100_000;
/** Of a server that does not say how long its tokens live. */
const USUAL_LIFE_SECONDS = 300;
const MAX_LIFE_SECONDS = 24 * 3_600;
/** GitHub takes at most ten minutes, by its own clock. */
const JWT_SECONDS = 9 * 60;
const CLOCK_SKEW_SECONDS = 60;

const token = z
  .string()
  .min(8)
  .max(8_192)
  .regex(/^[\x21-\x7e]+$/);
const Oauth2Answer = z.object({
  access_token: token,
  token_type: z
    .string()
    .regex(/^bearer$/i)
    .optional(),
  expires_in: z.coerce.number().positive().optional(),
  refresh_token: token.optional(),
});
const GithubAnswer = z.object({ token, expires_at: z.iso.datetime({ offset: true }) });
/** RFC 6749, 5.2: what may be repeated to an agent. */
const ErrorCode = z.object({ error: z.string().regex(/^[a-z_]{1,60}$/) });

/**
 * Asks the credential's server for an access token. Errors: SERVICE_UNAVAILABLE in words that an agent may read: the
 * status and the error's code, nothing else of the answer.
 */
export function fetchToken(
  credential: VaultCredential,
  policy: GuardPolicy,
  dispatcher: Dispatcher,
): Promise<FetchedToken> {
  if (credential.kind === 'oauth2') return ofOauth2(credential, policy, dispatcher);
  if (credential.kind === 'github_app') return ofGithub(credential, policy, dispatcher);
  throw new Error(`a ${credential.kind} has no token`);
}

/** RFC 6749, 4.4 and 6. */
async function ofOauth2(credential: Oauth2, policy: GuardPolicy, dispatcher: Dispatcher): Promise<FetchedToken> {
  const { clientId, clientSecret, refreshToken, scope, clientAuth } = credential;
  const isInHeader = clientAuth === 'basic' && clientSecret !== undefined;
  const form = new URLSearchParams({
    ...(refreshToken === undefined
      ? { grant_type: 'client_credentials' }
      : { grant_type: 'refresh_token', refresh_token: refreshToken }),
    ...(scope === undefined ? {} : { scope }),
    ...(isInHeader ? {} : { client_id: clientId }),
    ...(isInHeader || clientSecret === undefined ? {} : { client_secret: clientSecret }),
  });
  const answer = await post(credential.tokenUrl, policy, dispatcher, {
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      ...(isInHeader ? { authorization: basicOf(clientId, clientSecret) } : {}),
    },
    body: form.toString(),
  });
  const parsed = Oauth2Answer.safeParse(answer);
  if (!parsed.success) throw unavailable('the token server sent no bearer token');
  const { access_token, expires_in = USUAL_LIFE_SECONDS, refresh_token } = parsed.data;
  return {
    token: access_token,
    lifeMs: Math.min(expires_in, MAX_LIFE_SECONDS) * 1_000,
    ...(refresh_token !== undefined && refresh_token !== refreshToken ? { refreshToken: refresh_token } : {}),
  };
}

/** https://docs.github.com/rest/apps/apps#create-an-installation-access-token-for-an-app */
async function ofGithub(credential: GithubApp, policy: GuardPolicy, dispatcher: Dispatcher): Promise<FetchedToken> {
  const now = Math.floor(Date.now() / 1_000);
  const jwt = await new SignJWT()
    .setProtectedHeader({ alg: 'RS256', typ: 'JWT' })
    .setIssuer(credential.appId)
    .setIssuedAt(now - CLOCK_SKEW_SECONDS)
    .setExpirationTime(now + JWT_SECONDS)
    .sign(createPrivateKey(credential.privateKey));
  const url = `${credential.apiUrl.replace(/\/+$/, '')}/app/installations/${credential.installationId}/access_tokens`;
  const { repositories } = credential;
  const answer = await post(url, policy, dispatcher, {
    headers: {
      authorization: `Bearer ${jwt}`,
      accept: 'application/vnd.github+json',
      'content-type': 'application/json',
      'x-github-api-version': '2022-11-28',
    },
    body: JSON.stringify(repositories ? { repositories } : {}),
  });
  const parsed = GithubAnswer.safeParse(answer);
  const lifeMs = parsed.success ? Date.parse(parsed.data.expires_at) - Date.now() : 0;
  if (!parsed.success || lifeMs <= 0) throw unavailable('GitHub sent no token of the installation');
  return { token: parsed.data.token, lifeMs: Math.min(lifeMs, MAX_LIFE_SECONDS * 1_000) };
}

async function post(
  url: string,
  policy: GuardPolicy,
  dispatcher: Dispatcher,
  { headers, body }: { headers: Record<string, string>; body: string },
): Promise<unknown> {
  const response = await guardedRequest(
    {
      ...{ url, method: 'POST', body, timeoutMs: TIMEOUT_MS, maxResponseBytes: MAX_ANSWER_BYTES },
      headers: { accept: 'application/json', 'user-agent': 'roost', ...headers },
    },
    policy,
    dispatcher,
  ).catch(() => {
    throw unavailable('the token server did not answer, or may not be called');
  });
  const answer = jsonOf(response.body);
  if (response.status >= 200 && response.status < 300) return answer;
  const code = ErrorCode.safeParse(answer).data?.error;
  throw unavailable(`the token server answered ${response.status}${code === undefined ? '' : ` (${code})`}`);
}

function jsonOf(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
}

/** RFC 6749, 2.3.1: both are form-encoded first. */
const basicOf = (id: string, secret: string) => {
  const encoded = [id, secret].map((text) => new URLSearchParams([['', text]]).toString().slice(1));
  return `Basic ${Buffer.from(encoded.join(':')).toString('base64')}`;
};

const unavailable = (message: string) => new RoostError('SERVICE_UNAVAILABLE', message);
