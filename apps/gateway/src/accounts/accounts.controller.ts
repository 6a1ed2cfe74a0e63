import { AccountId, AccountQuota, Done, EmailAddress, Password, Timestamp, wire } from '#lib/contracts';
import { CONFIG } from '#lib/bus';
import { Controller, Get, Inject, Post, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Identity } from './identity.js';
import { Body, Caller, IdempotencyKey } from '../http/arguments.js';
import { Endpoint, Tag } from '../http/endpoint.js';
import { LoginLimits } from './login-limits.js';
import { LoginSessions } from './login-sessions.js';
import { Registrations } from './registrations.js';
import { AccountQuotas } from './quotas/account-quotas.js';
import { Users } from './users.js';

const Credentials = wire({ email: EmailAddress, password: Password });
type Credentials = z.output<typeof Credentials>;
/** With the password it is the registration that was made with it, whoever else registered the email. */
const OwnPassword = Password.optional().meta({
  description:
    'The password that was registered. With it, only that registration is verified; without it the newest of the email.',
});
const Code = wire({
  email: EmailAddress,
  code: z.string().min(1).max(20).describe('The code that was mailed.'),
  password: OwnPassword,
});
type Code = z.output<typeof Code>;
const Resend = wire({ email: EmailAddress, password: OwnPassword });
type Resend = z.output<typeof Resend>;
const Refresh = wire({ refreshToken: z.string().max(4_000).describe('The refresh token of the sign-in.') });
type Refresh = z.output<typeof Refresh>;
const Answer = wire({ message: Done });
const AgentsEnabled = z.boolean().describe('Whether the account may use AI agents.');
/** What a user who has signed in gets. */
export const Session = wire({
  token: z.string().describe('For `Authorization: Bearer …`.'),
  refreshToken: z.string().describe('For `POST /auth/refresh`. Good for 30 days and once.'),
  expiresIn: z.number().describe('Seconds for which `token` is good.'),
}).meta({ id: 'Session', description: 'The tokens of a sign-in.' });

/** spec: 00-overview, "Accounts" */
@Tag('Accounts')
@Controller('auth')
export class AccountsController {
  constructor(
    private readonly users: Users,
    private readonly registrations: Registrations,
    private readonly sessions: LoginSessions,
    private readonly limits: LoginLimits,
    private readonly quotas: AccountQuotas,
    @Inject(CONFIG) private readonly config: { ROOST_RATE_LIMIT_PER_MINUTE: number },
  ) {}

  @Post('create_user')
  @Endpoint({
    access: 'public',
    tenant: 'proof',
    summary: 'Register; a verification code is sent',
    description:
      'Answers alike for known and unknown emails. Without a mail server the code is in the gateway’s log (development), or registration is closed (403) and the operator makes accounts.',
    responseDescription: 'A code is on its way, if the email was not known.',
    response: Answer,
    status: 201,
    errors: ['ACCESS_DENIED', 'RATE_LIMITED'],
  })
  async register(@Body(Credentials) body: Credentials, @Req() request: FastifyRequest) {
    await this.limits.admit({ address: request.ip, email: body.email, of: 'mail' });
    await this.registrations.register(body.email, body.password);
    return { message: 'if the email was not known yet, a verification code is on its way' };
  }

  @Post('verify_user')
  @Endpoint({
    access: 'public',
    tenant: 'proof',
    summary: 'Verify the email with the code',
    description: 'The account is made by this. A code works for one hour and five tries.',
    responseDescription: 'The email is verified: sign in.',
    response: Answer,
    errors: ['RATE_LIMITED'],
  })
  async verify(@Body(Code) body: Code, @Req() request: FastifyRequest) {
    await this.limits.admit({ address: request.ip, email: body.email, of: 'code' });
    await this.registrations.confirm(body.email, body.code, body.password);
    return { message: 'the email is verified' };
  }

  @Post('resend_verification')
  @Endpoint({
    access: 'public',
    tenant: 'proof',
    summary: 'Send the verification code again',
    description: 'Answers alike for every email. At most 5 mails in 15 minutes.',
    responseDescription: 'A code is on its way, if the email waits for one.',
    response: Answer,
    errors: ['RATE_LIMITED'],
  })
  async resend(@Body(Resend) body: Resend, @Req() request: FastifyRequest) {
    await this.limits.admit({ address: request.ip, email: body.email, of: 'mail' });
    this.registrations.resend(body.email, body.password);
    return { message: 'if the email waits for verification, a code is on its way' };
  }

  @Post('login')
  @Endpoint({
    access: 'public',
    tenant: 'proof',
    summary: 'Sign in',
    description:
      'Gives a token for an hour and a refresh token for 30 days. In 15 minutes ten tries with one email from one address, 50 from one address.',
    responseDescription: 'The tokens.',
    response: Session,
    errors: ['UNAUTHORIZED', 'RATE_LIMITED'],
  })
  async login(@Body(Credentials) body: Credentials, @Req() request: FastifyRequest) {
    const attempt = { address: request.ip, email: body.email, of: 'password' } as const;
    await this.limits.admit(attempt);
    const signedIn = await this.users.login(body.email, body.password, request.ip);
    await this.limits.succeeded(attempt);
    return this.sessions.begin(signedIn);
  }

  @Post('refresh')
  @Endpoint({
    access: 'public',
    tenant: 'proof',
    summary: 'New tokens for a refresh token, which works once; shown again it ends the sign-in',
    description:
      'Send an `Idempotency-Key`: who did not get the answer repeats the call with the same key within two minutes.',
    responseDescription: 'New tokens; the refresh token before is used up.',
    response: Session,
    errors: ['UNAUTHORIZED'],
  })
  refresh(@Body(Refresh) body: Refresh, @IdempotencyKey() idempotencyKey: string | undefined) {
    return this.sessions.refresh(body.refreshToken, idempotencyKey);
  }

  @Get('fetch_user')
  @Endpoint({
    access: 'signed-in',
    summary: 'The user who is signed in',
    description: 'With an API key: the account, `email` null.',
    responseDescription: 'The user.',
    response: wire({
      id: z.uuid().describe('The user’s id; with an API key the account’s.'),
      uuid: z.uuid().describe('The same as `id`.'),
      accountId: AccountId,
      email: z.string().nullable().describe('Their email; null with an API key.'),
      agentsEnabled: AgentsEnabled,
      isOperator: z.boolean().describe('Whether the account may see and change all accounts.'),
      createdAt: Timestamp.nullable().describe('When they registered; null with an API key.'),
    }),
  })
  async fetchUser(@Caller() { accountId, userId, agentsEnabled, isOperator }: Identity) {
    const user = userId === undefined ? undefined : await this.users.find(userId);
    const id = user?.id ?? accountId;
    const { email = null, createdAt = null } = user ?? {};
    return { id, uuid: id, accountId, email, agentsEnabled, isOperator, createdAt };
  }

  @Get('fetch_user_quota')
  @Endpoint({
    access: 'signed-in',
    summary: 'What the account may use',
    description: 'The rate limit and all quotas; `GET /v1/account/quotas` has the quotas alone.',
    responseDescription: 'What it may use.',
    response: wire({
      requestsPerMinute: z.number().describe('Requests that the account may send in a minute.'),
      agentsEnabled: AgentsEnabled,
      quotas: z.array(AccountQuota).describe('One per thing that is counted.'),
    }),
  })
  async quota(@Caller() { accountId, agentsEnabled }: Identity) {
    const quotas = await this.quotas.report(accountId);
    return { requestsPerMinute: this.config.ROOST_RATE_LIMIT_PER_MINUTE, agentsEnabled, quotas };
  }
}
