import { AccountQuota, EmailAddress, Password, Timestamp, wire } from '#lib/contracts';
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
const Code = wire({ email: EmailAddress, code: z.string().min(1).max(20), password: OwnPassword });
type Code = z.output<typeof Code>;
const Resend = wire({ email: EmailAddress, password: OwnPassword });
type Resend = z.output<typeof Resend>;
const Refresh = wire({ refreshToken: z.string().max(4_000) });
type Refresh = z.output<typeof Refresh>;
const Done = wire({ message: z.string() });
/** What a user who has signed in gets. */
export const Session = wire({ token: z.string(), refreshToken: z.string(), expiresIn: z.number() });

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
    response: Done,
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
    response: Done,
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
    response: Done,
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
    response: Session,
    errors: ['UNAUTHORIZED', 'RATE_LIMITED'],
  })
  async login(@Body(Credentials) body: Credentials, @Req() request: FastifyRequest) {
    const attempt = { address: request.ip, email: body.email, of: 'password' } as const;
    await this.limits.admit(attempt);
    const user = await this.users.login(body.email, body.password);
    await this.limits.succeeded(attempt);
    return this.sessions.begin(user);
  }

  @Post('refresh')
  @Endpoint({
    access: 'public',
    tenant: 'proof',
    summary: 'New tokens for a refresh token, which works once; shown again it ends the sign-in',
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
    response: wire({
      id: z.uuid(),
      uuid: z.uuid(),
      accountId: z.uuid(),
      email: z.string().nullable(),
      agentsEnabled: z.boolean(),
      createdAt: Timestamp.nullable(),
    }),
  })
  async fetchUser(@Caller() { accountId, userId, agentsEnabled }: Identity) {
    const user = userId === undefined ? undefined : await this.users.find(userId);
    const id = user?.id ?? accountId;
    return { id, uuid: id, accountId, email: user?.email ?? null, agentsEnabled, createdAt: user?.createdAt ?? null };
  }

  @Get('fetch_user_quota')
  @Endpoint({
    access: 'signed-in',
    summary: 'What the account may use',
    response: wire({ requestsPerMinute: z.number(), agentsEnabled: z.boolean(), quotas: z.array(AccountQuota) }),
  })
  async quota(@Caller() { accountId, agentsEnabled }: Identity) {
    const quotas = await this.quotas.report(accountId);
    return { requestsPerMinute: this.config.ROOST_RATE_LIMIT_PER_MINUTE, agentsEnabled, quotas };
  }
}
