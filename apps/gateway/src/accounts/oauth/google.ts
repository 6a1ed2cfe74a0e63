import * as client from 'openid-client';
import type { Profile } from '../link-identity.js';
import { boundedFetch } from './bounded-fetch.js';
import {
  atProvider,
  authorizationParameters,
  isLoopback,
  type PendingSignIn,
  type SignInProvider,
} from './sign-in-provider.js';

export interface GoogleOptions {
  issuerUrl: string;
  clientId: string;
  clientSecret: string;
}

/** OpenID Connect: Google's, or any issuer's. */
export class Google implements SignInProvider {
  private discovered: Promise<client.Configuration> | undefined;

  constructor(private readonly options: GoogleOptions) {}

  async authorizationUrl(pending: PendingSignIn, redirectUrl: string): Promise<URL> {
    const configuration = await atProvider('google', () => this.discover());
    return client.buildAuthorizationUrl(configuration, {
      ...(await authorizationParameters(pending, redirectUrl)),
      scope: 'openid email',
      nonce: pending.nonce,
    });
  }

  profile(callback: URL, pending: PendingSignIn): Promise<Profile> {
    return atProvider('google', async () => {
      const configuration = await this.discover();
      const tokens = await client.authorizationCodeGrant(configuration, callback, {
        expectedState: pending.state,
        pkceCodeVerifier: pending.codeVerifier,
        expectedNonce: pending.nonce,
        idTokenExpected: true,
      });
      const claims = tokens.claims();
      if (!claims) throw new Error('the issuer gave no id token');
      // Google puts the email into the id token; other issuers give it on request only.
      const { email, email_verified } =
        claims['email'] === undefined
          ? await client.fetchUserInfo(configuration, tokens.access_token, claims.sub)
          : claims;
      return {
        subject: claims.sub,
        email: typeof email === 'string' ? email : undefined,
        isEmailVerified: email_verified === true,
      };
    });
  }

  private async discover(): Promise<client.Configuration> {
    const { issuerUrl, clientId, clientSecret } = this.options;
    this.discovered ??= client.discovery(new URL(issuerUrl), clientId, clientSecret, undefined, {
      [client.customFetch]: boundedFetch,
      ...(isLoopback(issuerUrl) ? { execute: [client.allowInsecureRequests] } : {}),
    });
    try {
      return await this.discovered;
    } catch (error) {
      // The next sign-in tries again.
      this.discovered = undefined;
      throw error;
    }
  }
}
