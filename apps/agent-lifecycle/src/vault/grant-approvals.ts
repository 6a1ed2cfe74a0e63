import { Bus, CONFIG } from '#lib/bus';
import { ownCall } from '#lib/call-context';
import {
  askForCredential,
  DEFAULT_EXPIRY_SECONDS,
  type EgressRequest,
  type EgressVerdict,
  MAX_CREDENTIAL_PATH,
  RoostError,
} from '#lib/contracts';
import { Database } from '#lib/database';
import { Inject, Injectable } from '@nestjs/common';
import type { z } from 'zod';
import type { LifecycleConfig } from '../config.js';
import { grantToAsk } from './grants.repository.js';

/** Grants that ask: whether a request may carry the secret is a person's decision, which messaging has. */
@Injectable()
export class GrantApprovals {
  constructor(
    private readonly database: Database,
    private readonly bus: Bus,
    @Inject(CONFIG) private readonly config: LifecycleConfig,
  ) {}

  /** How long a request waits for a decision before it is refused. */
  get holdMs(): number {
    return this.config.ROOST_VAULT_ASK_SECONDS * 1_000;
  }

  /** Whether this one request may carry the secret now. Reasons are read by the agent. */
  async mayUse(grantId: string, { host, method, path }: EgressRequest): Promise<EgressVerdict> {
    const grant = await grantToAsk(this.database, grantId);
    if (!grant) return { isAllowed: false, reason: 'the grant was revoked' };
    const { account_id: accountId, agent_id: agentId, mode, secret, configuration } = grant;
    if (mode === 'always') return { isAllowed: true };
    if (path.length > MAX_CREDENTIAL_PATH)
      return { isAllowed: false, reason: 'its path is too long to be shown to a person' };
    const { approvers, expiresAfterSeconds = DEFAULT_EXPIRY_SECONDS } = configuration.permissions ?? {};
    const question = {
      ...{ agentId, grantId, secret, host, method, path, expiresAfterSeconds },
      approvers: approvers?.map(({ platform, userId }) => `${platform}:${userId}`) ?? null,
    };
    const call = { ...ownCall('req_vault_ask', askForCredential.timeoutMs), accountId };
    return this.bus.request(askForCredential, question, call).then(verdictOf, (error: unknown) => {
      // A service that is away for a moment does not decide: whoever waits asks again.
      const waits = error instanceof RoostError && error.code === 'SERVICE_UNAVAILABLE';
      return { isAllowed: false, reason: 'whether it may could not be found out', waits };
    });
  }
}

/** In words that the agent reads. */
function verdictOf({ status, approvalId, message }: z.output<typeof askForCredential.output>): EgressVerdict {
  if (status === 'allowed') return { isAllowed: true };
  if (status === 'pending')
    return {
      isAllowed: false,
      reason: `it waits for approval ${approvalId}: a person is asked. Send the same request again later`,
      waits: true,
    };
  if (status === 'too_many')
    return { isAllowed: false, reason: 'too many of this agent’s requests wait for approval: try again later' };
  return { isAllowed: false, reason: `approval ${approvalId} was denied${message ? `: ${message}` : ''}` };
}
