import { inCall } from '#lib/call-context';
import {
  AccountQuota,
  AdminAccount,
  EmailAddress,
  pageQuery,
  Pagination,
  paginationOf,
  Password,
  QuotaName,
  RoostError,
  UUID_PATTERN,
  wire,
} from '#lib/contracts';
import { Controller, Delete, Get, Patch, Post, Req } from '@nestjs/common';
import { z } from 'zod';
import { HealthChecks, SERVICES, ServiceHealth } from '../../health/service-health.js';
import { Body, Caller, Param, Query } from '../../http/arguments.js';
import { Endpoint, Tag } from '../../http/endpoint.js';
import { type ApiRequest, contextOf } from '../../http/request.js';
import { AccountDeletion } from '../account-deletion.js';
import type { Identity } from '../identity.js';
import { AccountQuotas } from '../quotas/account-quotas.js';
import { AccountAdmin } from './account-admin.js';

const UUID = new RegExp(`^${UUID_PATTERN}$`);
const AccountParams = z.looseObject({
  accountId: z
    .string()
    .refine((id) => {
      if (!UUID.test(id)) throw new RoostError('NOT_FOUND', 'there is no such account');
      return true;
    })
    .describe('The account’s id.'),
});
type AccountParams = z.output<typeof AccountParams>;

const ListAccounts = wire({
  ...pageQuery,
  search: z.string().min(1).max(254).optional().describe('Only accounts with this in their name or in an email.'),
});
type ListAccounts = z.output<typeof ListAccounts>;

const agentsEnabled = z.boolean().describe('Whether it may have agents.');
const NewAccount = wire({ email: EmailAddress, password: Password, agentsEnabled: agentsEnabled.default(true) }).meta({
  id: 'NewAccount',
  description: 'An account to be made, with its first user.',
});
type NewAccount = z.output<typeof NewAccount>;
const AccountChange = wire({ agentsEnabled }).meta({ id: 'AccountChange', description: 'What changes of an account.' });
type AccountChange = z.output<typeof AccountChange>;
const QuotaChange = wire({
  quota: QuotaName,
  limit: z
    .number()
    .int()
    .min(0)
    .nullable()
    .describe('The most that the account may have, `stored_bytes` in bytes; null: as for all accounts.'),
}).meta({ id: 'QuotaChange', description: 'A limit of one account.' });
type QuotaChange = z.output<typeof QuotaChange>;
const Quotas = wire({ quotas: z.array(AccountQuota).describe('One per thing that is counted.') });

const OPERATORS = { access: 'operator', tenant: 'any' } as const;

/**
 * What people who operate this Roost see and do of all accounts. Who is one is decided on the machine alone
 * (`npx roost admin account make-operator`), so that nobody becomes one by the API. docs/guide/accounts-and-keys.md
 */
@Tag('Operators')
@Controller('v1/admin')
export class OperatorsController {
  constructor(
    private readonly admin: AccountAdmin,
    private readonly quotas: AccountQuotas,
    private readonly deletion: AccountDeletion,
    private readonly checks: HealthChecks,
  ) {}

  @Get('accounts')
  @Endpoint({
    ...OPERATORS,
    summary: 'List all accounts',
    description: 'Oldest first, in pages.',
    responseDescription: 'A page of accounts.',
    response: wire({ accounts: z.array(AdminAccount).describe('The accounts of this page.'), pagination: Pagination }),
  })
  async list(@Query(ListAccounts) query: ListAccounts) {
    const [accounts, total] = await Promise.all([this.admin.list(query), this.admin.count(query.search)]);
    return { accounts, pagination: paginationOf(query.page, query.limit, total) };
  }

  @Post('accounts')
  @Endpoint({
    ...OPERATORS,
    summary: 'Make an account',
    description: 'With a user whose email counts as verified. 409: there is an account for the email.',
    responseDescription: 'The account.',
    response: AdminAccount,
    status: 201,
    errors: ['ALREADY_EXISTS'],
  })
  create(@Req() request: ApiRequest, @Body(NewAccount) { email, password, agentsEnabled: enabled }: NewAccount) {
    return asOperator(request, () => this.admin.create(email, password, enabled));
  }

  @Get('accounts/:accountId')
  @Endpoint({
    ...OPERATORS,
    summary: 'Get an account',
    description: 'With the emails of its users.',
    responseDescription: 'The account.',
    response: AdminAccount,
  })
  get(@Param(AccountParams) { accountId }: AccountParams) {
    return this.admin.find(accountId);
  }

  @Patch('accounts/:accountId')
  @Endpoint({
    ...OPERATORS,
    summary: 'Let an account have agents, or not',
    description:
      'Takes effect at once, in open streams too. Its agents stay, and cannot be reached until it may again.',
    responseDescription: 'The account.',
    response: AdminAccount,
    errors: ['CONFLICT'],
  })
  change(
    @Req() request: ApiRequest,
    @Caller() caller: Identity,
    @Param(AccountParams) { accountId }: AccountParams,
    @Body(AccountChange) { agentsEnabled: enabled }: AccountChange,
  ) {
    if (!enabled) refuseOwn(caller, accountId);
    return asOperator(request, () => this.admin.setAgentsEnabled(accountId, enabled));
  }

  @Delete('accounts/:accountId')
  @Endpoint({
    ...OPERATORS,
    summary: 'Delete an account',
    description: 'Permanently, with everything that it owns: agents, files, keys, users. Its streams end at once.',
    responseDescription: 'It is gone.',
    response: wire({ accountId: z.uuid().describe('Its id.') }),
    errors: ['CONFLICT'],
  })
  async delete(
    @Req() request: ApiRequest,
    @Caller() caller: Identity,
    @Param(AccountParams) { accountId }: AccountParams,
  ) {
    refuseOwn(caller, accountId);
    await asOperator(request, () => this.deletion.delete(accountId));
    return { accountId };
  }

  @Get('accounts/:accountId/quotas')
  @Endpoint({
    ...OPERATORS,
    summary: 'Every quota of an account with its limit and use',
    description: 'As the account itself sees them by `GET /v1/account/quotas`.',
    responseDescription: 'The quotas.',
    response: Quotas,
  })
  async quotasOf(@Param(AccountParams) { accountId }: AccountParams) {
    await this.admin.find(accountId);
    return { quotas: await this.quotas.report(accountId) };
  }

  @Patch('accounts/:accountId/quotas')
  @Endpoint({
    ...OPERATORS,
    summary: 'Give an account a limit of its own',
    description: 'Takes effect within seconds. What it has over a new limit stays; it can make no more of it.',
    responseDescription: 'Its quotas.',
    response: Quotas,
  })
  async setQuota(
    @Req() request: ApiRequest,
    @Param(AccountParams) { accountId }: AccountParams,
    @Body(QuotaChange) { quota, limit }: QuotaChange,
  ) {
    await this.admin.find(accountId);
    await asOperator(request, () => this.quotas.set(accountId, quota, limit));
    return { quotas: await this.quotas.report(accountId) };
  }

  @Get('services')
  @Endpoint({
    ...OPERATORS,
    summary: 'How each service is',
    description: 'Asks every service; answers within two seconds. One that does not answer is `down`.',
    responseDescription: 'The services.',
    response: wire({ services: z.array(ServiceHealth).describe('One per service.') }),
  })
  async services() {
    return { services: await Promise.all(SERVICES.map((name) => this.checks.check(name))) };
  }
}

/** The account whose thing is changed learns that an operator did it. */
function asOperator<T>(request: ApiRequest, work: () => T): T {
  const context = contextOf(request);
  return inCall({ ...context, actor: { type: 'operator', id: context.actor?.id ?? '' } }, work);
}

/** An operator who locks themselves out could not undo it here. Errors: CONFLICT. */
function refuseOwn(caller: Identity, accountId: string): void {
  if (caller.accountId === accountId)
    throw new RoostError('CONFLICT', 'this is your own account: another operator can do that, or `npx roost admin`');
}
