import { CONFIG, LOGGER } from '#lib/bus';
import { RoostError } from '#lib/contracts';
import { Database } from '#lib/database';
import { checkUrl, guardedDispatcher, policyOf } from '#lib/net-guard';
import type { Logger } from '#lib/observability';
import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import type { Agent } from 'undici';
import { z } from 'zod';
import type { GatewayConfig } from '../../config.js';
import type { Identity } from '../identity.js';
import { userOf } from '../link-identity.js';
import { jwtStrategy, Strategies } from '../strategies.js';
import type { TokenHead } from '../tokens/token-head.js';
import { findLinkedUserSince, type User } from '../users.repository.js';
import { IssuerKeys } from './issuer-keys.js';
import type { TrustedIssuer } from './issuer-settings.js';

/** Clocks of an issuer and of this machine differ. */
const CLOCK_TOLERANCE_SECONDS = 30;
/** A token that is older is refused, whatever it states of its end: nobody can withdraw it. */
const MAX_AGE_SECONDS = 24 * 3_600;

const Claims = z.object({
  sub: z.string().min(1).max(255),
  iat: z.number(),
  exp: z.number(),
  email: z.string().max(1_000).optional().catch(undefined),
  /** Only the value true counts: some issuers write the text "true" for what was entered. */
  email_verified: z.unknown().optional(),
});
type Claims = z.output<typeof Claims>;

interface Trust {
  settings: TrustedIssuer;
  keys: IssuerKeys;
}

/**
 * Lets in people with tokens of issuers that the operator trusts, such as a company's identity provider: by the subject
 * that was linked to a user here, at first by an email that the issuer has verified.
 */
@Injectable()
export class TrustedIssuers implements OnApplicationShutdown {
  private readonly trusted = new Map<string, Trust>();
  private readonly strategies = new Strategies();
  private readonly dispatcher: Agent;

  constructor(
    private readonly database: Database,
    @Inject(CONFIG) config: GatewayConfig,
    @Inject(LOGGER) logger: Logger,
  ) {
    const allowedRanges = config.ROOST_ISSUER_RANGES.split(/[\s,]+/).filter(Boolean);
    const policy = policyOf(config.ROOST_ISSUER_NETWORK);
    const guard = { ...policy, allowedRanges: [...(policy.allowedRanges ?? []), ...allowedRanges] };
    this.dispatcher = guardedDispatcher(guard);
    for (const settings of config.ROOST_TRUSTED_ISSUERS) {
      checkUrl(settings.jwks_url, guard);
      const source = { jwksUrl: settings.jwks_url, policy: guard, dispatcher: this.dispatcher, logger };
      this.trusted.set(settings.issuer, { settings, keys: new IssuerKeys(source) });
      this.strategies.use(settings.issuer, strategyOf(settings));
    }
  }

  async onApplicationShutdown(): Promise<void> {
    await this.dispatcher.close();
  }

  /**
   * Undefined for a token of an unknown issuer, for another audience, forged or expired.
   * Errors: ACCESS_DENIED (no user here is theirs), SERVICE_UNAVAILABLE (the issuer's keys cannot be fetched).
   */
  async identify(credential: string, { iss, kid, alg }: TokenHead): Promise<Identity | undefined> {
    const trust = this.trusted.get(iss);
    if (!trust || !trust.settings.algorithms.some((allowed) => allowed === alg)) return undefined;
    const key = await trust.keys.find(kid, alg);
    if (!key) return undefined;
    const claims = Claims.safeParse(await this.strategies.run(iss, { credential, key }));
    if (!claims.success || claims.data.iat > Date.now() / 1_000 + CLOCK_TOLERANCE_SECONDS) return undefined;
    const issuedAt = new Date(claims.data.iat * 1_000);
    const user = await this.userOf(trust.settings, claims.data, issuedAt);
    if (!user) return undefined;
    const { id: userId, accountId, agentsEnabled, isOperator } = user;
    const expiresAt = new Date(Math.min(claims.data.exp * 1_000, issuedAt.getTime() + MAX_AGE_SECONDS * 1_000));
    return { accountId, agentsEnabled, isOperator, userId, credential: { kind: 'token', userId, issuedAt, expiresAt } };
  }

  private async userOf(settings: TrustedIssuer, claims: Claims, issuedAt: Date): Promise<User | undefined> {
    const { issuer, creates_accounts: createsAccounts, agents_enabled: agentsEnabled } = settings;
    const { sub: subject, email } = claims;
    const linked = await findLinkedUserSince(this.database, issuer, { subject, issuedAt });
    if (linked) return linked.isValid ? linked : undefined;
    if (email !== undefined && !isOfDomain(email, settings.email_domains))
      throw new RoostError('ACCESS_DENIED', `${issuer} may not sign in people with your email’s domain here`);
    const profile = { subject, email, isEmailVerified: claims.email_verified === true };
    await this.database.transaction((tx) => userOf(tx, issuer, profile, { createsAccounts, agentsEnabled }));
    const user = await findLinkedUserSince(this.database, issuer, { subject, issuedAt });
    return user?.isValid ? user : undefined;
  }
}

const strategyOf = ({ issuer, audience, algorithms }: TrustedIssuer) =>
  jwtStrategy({
    algorithms,
    issuer,
    audience,
    jsonWebTokenOptions: { clockTolerance: CLOCK_TOLERANCE_SECONDS, maxAge: MAX_AGE_SECONDS },
  });

function isOfDomain(email: string, domains: readonly string[] | undefined): boolean {
  return domains === undefined || domains.includes(email.toLowerCase().split('@').at(-1) ?? '');
}
