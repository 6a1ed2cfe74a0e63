import { Bus, LOGGER, rpcAttributes } from '#lib/bus';
import { type CallContext, inCall } from '#lib/call-context';
import { serve } from '#lib/rpc';
import {
  createAccount,
  createAccountKey,
  deleteAccount,
  getAccountQuotas,
  linkIdentity,
  listAccountKeys,
  listAccounts,
  listAllAudit,
  quotaLimits,
  type RequestContract,
  revokeAccountKey,
  RoostError,
  setAccountQuota,
  setAgentsEnabled,
  setOperator,
} from '#lib/contracts';
import type { Logger } from '#lib/observability';
import { Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import type { z } from 'zod';
import { AccountDeletion } from '../account-deletion.js';
import { ApiKeys } from '../api-keys.js';
import { AccountQuotas } from '../quotas/account-quotas.js';
import { Audit } from '../../audit/audit.js';
import { AccountAdmin } from './account-admin.js';

/** Who may ask here is the operator, or a service that only reads. */
const OPERATOR = { type: 'operator', id: 'admin' } as const;

/** Answers who holds the operator's credentials, on the bus: `npm run admin`. */
@Injectable()
export class AdminController implements OnApplicationBootstrap {
  constructor(
    private readonly bus: Bus,
    private readonly admin: AccountAdmin,
    private readonly keys: ApiKeys,
    private readonly deletion: AccountDeletion,
    private readonly quotas: AccountQuotas,
    private readonly audit: Audit,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  onApplicationBootstrap(): void {
    this.answer(createAccount, ({ email, password, agentsEnabled }) =>
      this.admin.create(email, password, agentsEnabled),
    );
    this.answer(setAgentsEnabled, ({ account, enabled }) => this.admin.setAgentsEnabled(account, enabled));
    this.answer(setOperator, ({ account, isOperator }) => this.admin.setOperator(account, isOperator));
    this.answer(linkIdentity, ({ email, issuer, subject }) => this.admin.link(email, issuer, subject));
    this.answer(listAccounts, async (query) => ({ accounts: await this.admin.list(query) }));
    this.answer(deleteAccount, async ({ account }) => {
      const { accountId } = await this.admin.find(account);
      await this.deletion.delete(accountId);
      return { accountId };
    });
    this.answer(createAccountKey, async ({ account, name }) =>
      this.keys.create((await this.admin.find(account)).accountId, name),
    );
    this.answer(listAccountKeys, async ({ account }) => ({
      keys: await this.keys.list((await this.admin.find(account)).accountId),
    }));
    this.answer(revokeAccountKey, async ({ account, keyId }) => {
      await this.keys.revoke((await this.admin.find(account)).accountId, keyId);
      return { id: keyId };
    });
    this.answer(getAccountQuotas, async ({ account }) => ({
      quotas: await this.quotas.report((await this.admin.find(account)).accountId),
    }));
    this.answer(setAccountQuota, async ({ account, quota, limit }) => {
      const { accountId } = await this.admin.find(account);
      await this.quotas.set(accountId, quota, limit);
      return { quotas: await this.quotas.report(accountId) };
    });
    this.answer(listAllAudit, ({ account, ...query }) => this.audit.ofOperator(account, query));
    this.answer(quotaLimits, async ({ accountId }) => ({ limits: await this.quotas.limitsOf(accountId) }));
  }

  private answer<I extends z.ZodType, O extends z.ZodType>(
    contract: RequestContract<I, O>,
    handle: (input: z.output<I>) => Promise<z.output<O>>,
  ): void {
    serve(
      this.bus.connection,
      contract,
      contract.subject,
      (input: z.output<I>, context: CallContext) => {
        if (context.accountId) throw new RoostError('ACCESS_DENIED', 'accounts are managed by the operator alone');
        const { subject } = contract;
        const options = { kind: 'server', attributes: rpcAttributes(subject, false) } as const;
        const byOperator = { ...context, actor: context.actor ?? OPERATOR };
        return inCall(byOperator, () => this.bus.tracer.span(subject, options, () => handle(input)));
      },
      (error, subject) => this.logger.error({ err: error, subject }, 'a request failed unexpectedly'),
      this.bus.service,
    );
  }
}
