import * as client from 'openid-client';
import { z } from 'zod';
import type { Profile } from '../link-identity.js';
import { boundedFetch } from './bounded-fetch.js';
import {
  atProvider,
  authorizationParameters,
  isLoopback,
  type PendingSignIn,
  type SignInProvider,
} from './sign-in-provider.js';

export interface GithubOptions {
  url: string;
  apiUrl: string;
  clientId: string;
  clientSecret: string;
}

const User = z.looseObject({ id: z.number().int() });
const Emails = z.array(z.looseObject({ email: z.string(), primary: z.boolean(), verified: z.boolean() }));
const HEADERS = { accept: 'application/vnd.github+json', 'user-agent': 'roost', 'x-github-api-version': '2022-11-28' };

/** GitHub speaks OAuth 2 without OpenID Connect: who signed in is asked of its REST API. */
export class Github implements SignInProvider {
  private readonly configuration: client.Configuration;

  constructor(private readonly options: GithubOptions) {
    const { url, clientId, clientSecret } = options;
    this.configuration = new client.Configuration(
      {
        issuer: url,
        authorization_endpoint: `${url}/login/oauth/authorize`,
        token_endpoint: `${url}/login/oauth/access_token`,
      },
      clientId,
      clientSecret,
    );
    this.configuration[client.customFetch] = boundedFetch;
    if (isLoopback(url)) client.allowInsecureRequests(this.configuration);
  }

  async authorizationUrl(pending: PendingSignIn, redirectUrl: string): Promise<URL> {
    return client.buildAuthorizationUrl(this.configuration, {
      ...(await authorizationParameters(pending, redirectUrl)),
      scope: 'read:user user:email',
    });
  }

  profile(callback: URL, pending: PendingSignIn): Promise<Profile> {
    return atProvider('github', async () => {
      const { access_token } = await client.authorizationCodeGrant(this.configuration, callback, {
        expectedState: pending.state,
        pkceCodeVerifier: pending.codeVerifier,
      });
      const [user, emails] = await Promise.all([
        this.get('/user', access_token, User),
        this.get('/user/emails', access_token, Emails),
      ]);
      const primary = emails.find((email) => email.primary);
      return {
        subject: String(user.id),
        email: primary?.email,
        isEmailVerified: primary?.verified ?? false,
      };
    });
  }

  private async get<S extends z.ZodType>(path: string, accessToken: string, schema: S): Promise<z.output<S>> {
    const url = new URL(`${this.options.apiUrl}${path}`);
    const response = await client.fetchProtectedResource(
      this.configuration,
      accessToken,
      url,
      'GET',
      null,
      new Headers(HEADERS),
    );
    if (!response.ok) throw new Error(`${path} answered ${response.status}`);
    return schema.parse(await response.json());
  }
}
