import { Sealer } from '#lib/auth';
import { CONFIG } from '#lib/bus';
import { RoostError } from '#lib/contracts';
import { Database } from '#lib/database';
import { Inject, Injectable } from '@nestjs/common';
import { createHash } from 'node:crypto';
import { type GatewayConfig, isRegistrationOpen } from '../../config.js';
import { userOf } from '../link-identity.js';
import type { User } from '../users.repository.js';
import { Github } from './github.js';
import { Google } from './google.js';
import { addSignIn, takeSignIn } from './oauth-sign-ins.repository.js';
import { newSignIn, type PendingSignIn, type SignInProvider, type SignInProviderName } from './sign-in-provider.js';

/** Signing in with another provider: begun here, finished with what the provider gave the user's browser. */
@Injectable()
export class SignIns {
  private readonly providers: Partial<Record<SignInProviderName, SignInProvider>>;

  constructor(
    private readonly database: Database,
    private readonly sealer: Sealer,
    @Inject(CONFIG) private readonly config: GatewayConfig,
  ) {
    this.providers = providersOf(config);
  }

  /** The providers that are set up here. */
  get names(): SignInProviderName[] {
    const isComplete = this.config.ROOST_OAUTH_REDIRECT_URL !== undefined;
    return isComplete ? (Object.keys(this.providers) as SignInProviderName[]) : [];
  }

  /** Where to send the user's browser. Errors: NOT_FOUND where the provider is not set up, SERVICE_UNAVAILABLE. */
  async begin(name: SignInProviderName): Promise<{ authorizationUrl: string; state: string }> {
    const { provider, redirectUrl } = this.find(name);
    const pending = newSignIn();
    const url = await provider.authorizationUrl(pending, redirectUrl);
    const stateHash = hashOf(pending.state);
    const sealedPending = this.sealer.seal(JSON.stringify(pending), sealContext(stateHash));
    await addSignIn(this.database, { stateHash, provider: name, sealedPending });
    return { authorizationUrl: url.href, state: pending.state };
  }

  /**
   * Who came back, with the account that is theirs. A state works once.
   * Errors: NOT_FOUND, UNAUTHORIZED (unknown, old or used state; the provider refuses), ACCESS_DENIED (no verified
   * email; registration is closed), SERVICE_UNAVAILABLE.
   */
  async finish(
    name: SignInProviderName,
    came: { code: string; state: string; iss?: string | undefined },
  ): Promise<User> {
    const { provider, redirectUrl } = this.find(name);
    const pending = await this.takePending(name, came.state);
    const callback = new URL(redirectUrl);
    for (const [field, value] of Object.entries(came)) if (value !== undefined) callback.searchParams.set(field, value);
    const profile = await provider.profile(callback, pending);
    const rules = { createsAccounts: isRegistrationOpen(this.config), agentsEnabled: false };
    return this.database.transaction((tx) => userOf(tx, name, profile, rules));
  }

  private find(name: SignInProviderName): { provider: SignInProvider; redirectUrl: string } {
    const provider = this.providers[name];
    const redirectUrl = this.config.ROOST_OAUTH_REDIRECT_URL;
    if (!provider || !redirectUrl) throw new RoostError('NOT_FOUND', `signing in with ${name} is not set up here`);
    return { provider, redirectUrl };
  }

  private async takePending(name: SignInProviderName, state: string): Promise<PendingSignIn> {
    const stateHash = hashOf(state);
    const sealed = await takeSignIn(this.database, stateHash, name);
    if (sealed === undefined)
      throw new RoostError('UNAUTHORIZED', 'this sign-in is unknown, too old or was used already: begin again');
    return JSON.parse(this.sealer.open(sealed, sealContext(stateHash))) as PendingSignIn;
  }
}

const hashOf = (state: string) => createHash('sha256').update(state).digest('hex');
const sealContext = (stateHash: string) => `oauth_sign_ins:${stateHash}`;

function providersOf(config: GatewayConfig): Partial<Record<SignInProviderName, SignInProvider>> {
  const { GOOGLE_CLIENT_ID, GOOGLE_CLIENT_SECRET, GITHUB_CLIENT_ID, GITHUB_CLIENT_SECRET } = config;
  return {
    ...(GOOGLE_CLIENT_ID && GOOGLE_CLIENT_SECRET
      ? {
          google: new Google({
            issuerUrl: config.GOOGLE_ISSUER_URL,
            clientId: GOOGLE_CLIENT_ID,
            clientSecret: GOOGLE_CLIENT_SECRET,
          }),
        }
      : {}),
    ...(GITHUB_CLIENT_ID && GITHUB_CLIENT_SECRET
      ? {
          github: new Github({
            url: config.GITHUB_URL,
            apiUrl: config.GITHUB_API_URL,
            clientId: GITHUB_CLIENT_ID,
            clientSecret: GITHUB_CLIENT_SECRET,
          }),
        }
      : {}),
  };
}
