import type { EgressGrant, EgressRequest, EgressVerdict } from '#lib/contracts';
import { setTimeout as sleep } from 'node:timers/promises';
import { coversHost, type Destination } from '#lib/net-guard';
import { secretsOf, type StaticCredential } from './put-on.js';

/** What agent-lifecycle is asked, and what it is informed of. */
export interface GrantQuestions {
  token(grantId: string): Promise<{ token: string; expiresAt: number }>;
  verdict(grantId: string, request: EgressRequest): Promise<EgressVerdict>;
  /** How long a request waits for a person's decision. */
  askHoldMs: number;
  used(grantId: string, refused?: string): void;
}

/** A request that waits for a person asks so often what was decided. */
const askEveryMs = 1_000;
/** Requests of one agent that wait for persons at once; more are refused while nobody has decided. */
const maxHeld = 20;
/** A token is asked for again so long before it ends. */
const earlyMs = 30_000;

/** The grants of one agent, as they are now. */
export class AgentGrants {
  private grants: EgressGrant[] = [];
  private held = 0;
  private readonly tokens = new Map<string, Promise<{ token: string; expiresAt: number }>>();

  constructor(readonly questions: GrantQuestions) {}

  /** Tokens of before are dropped: what they were made from may have changed. */
  set(grants: EgressGrant[]): void {
    this.grants = grants;
    this.tokens.clear();
  }

  at(destination: Destination): EgressGrant[] {
    return this.grants.filter((grant) => coversHost(grant, destination));
  }

  /** Whether plain HTTP to this host would be a way around its grants. */
  nameHost(host: string): boolean {
    return this.grants.some(({ hosts }) =>
      hosts.some((entry) => coversHost({ hosts: [entry.replace(/:\d+$/, '')] } as EgressGrant, { host, port: 443 })),
    );
  }

  byPlaceholder(placeholder: string): EgressGrant | undefined {
    return this.grants.find((grant) => grant.placeholder === placeholder);
  }

  /**
   * Whether the request may carry the credential of a grant that asks. It waits for the decision a while, as long as its
   * client does: what is allowed once is not to be used up by one that nobody waits for.
   */
  async mayUse({ id }: EgressGrant, request: EgressRequest, isGone: () => boolean): Promise<EgressVerdict> {
    const until = Date.now() + this.questions.askHoldMs;
    let verdict = await this.verdict(id, request);
    if (verdict.isAllowed || !verdict.waits || this.held >= maxHeld) return verdict;
    this.held += 1;
    try {
      while (!verdict.isAllowed && verdict.waits && Date.now() + askEveryMs < until) {
        await sleep(askEveryMs);
        if (isGone()) break;
        verdict = await this.verdict(id, request);
      }
    } finally {
      this.held -= 1;
    }
    return verdict;
  }

  private verdict(grantId: string, request: EgressRequest): Promise<EgressVerdict> {
    return this.questions
      .verdict(grantId, request)
      .catch(() => ({ isAllowed: false, reason: 'whether it may be used could not be found out' }));
  }

  /** Errors: the token cannot be had. */
  async credentialOf({ id, credential }: EgressGrant): Promise<StaticCredential> {
    if (credential.kind !== 'dynamic') return credential;
    let wanted = this.tokens.get(id);
    if (wanted) {
      const { expiresAt } = await wanted;
      if (expiresAt - earlyMs < Date.now() && this.tokens.get(id) === wanted) this.tokens.delete(id);
    }
    wanted = this.tokens.get(id);
    if (!wanted) {
      wanted = this.questions.token(id);
      this.tokens.set(id, wanted);
      wanted.catch(() => this.tokens.delete(id));
    }
    return { kind: 'bearer', token: (await wanted).token };
  }

  /** Whatever may come back from a host that these grants name: it may have been sent there before. */
  async secretsAt(destination: Destination): Promise<string[]> {
    const held = this.at(destination).map(async (grant) => {
      if (grant.credential.kind !== 'dynamic') return secretsOf(grant.credential);
      const token = await this.tokens.get(grant.id);
      return token ? [token.token] : [];
    });
    return (await Promise.all(held)).flat();
  }
}
