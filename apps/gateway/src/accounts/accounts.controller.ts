import { AccountQuota, EmailAddress, Password, Timestamp, wire } from '#lib/contracts';
import { CONFIG } from '#lib/bus';
import { Controller, Inject } from '@nestjs/common';
import { z } from 'zod';
import { type Call, Endpoint } from '../http/endpoint.js';
import { LoginLimits } from './login-limits.js';
import { LoginSessions } from './login-sessions.js';
import { Registrations } from './registrations.js';
import { AccountQuotas } from './quotas/account-quotas.js';
import { Users } from './users.js';

const open = { method: 'POST', access: 'public', tenant: 'proof', tag: 'Accounts' } as const;
const Credentials = wire({ email: EmailAddress, password: Password });
/** With the password it is the registration that was made with it, whoever else registered the email. */
const OwnPassword = Password.optional().meta({
  description:
    'The password that was registered. With it, only that registration is verified; without it the newest of the email.',
});
const Code = wire({ email: EmailAddress, code: z.string().min(1).max(20), password: OwnPassword });
const Resend = wire({ email: EmailAddress, password: OwnPassword });
const Refresh = wire({ refreshToken: z.string().max(4_000) });
const Done = wire({ message: z.string() });
/** What a user who has signed in gets. */
export const Session = wire({ token: z.string(), refreshToken: z.string(), expiresIn: z.number() });
type Given<S extends z.ZodType> = Call<unknown, unknown, z.output<S>>;

/** spec: 00-overview, "Accounts" */
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

  @Endpoint({
    ...open,
    path: 'create_user',
    summary: 'Register; a verification code is sent',
    body: Credentials,
    response: Done,
    status: 201,
    errors: ['ACCESS_DENIED', 'RATE_LIMITED'],
  })
  async register({ body, request }: Given<typeof Credentials>) {
    await this.limits.admit({ address: request.ip, email: body.email, of: 'mail' });
    await this.registrations.register(body.email, body.password);
    return { message: 'if the email was not known yet, a verification code is on its way' };
  }

  @Endpoint({
    ...open,
    path: 'verify_user',
    summary: 'Verify the email with the code',
    body: Code,
    response: Done,
    errors: ['RATE_LIMITED'],
  })
  async verify({ body, request }: Given<typeof Code>) {
    await this.limits.admit({ address: request.ip, email: body.email, of: 'code' });
    await this.registrations.confirm(body.email, body.code, body.password);
    return { message: 'the email is verified' };
  }

  @Endpoint({
    ...open,
    path: 'resend_verification',
    summary: 'Send the verification code again',
    body: Resend,
    response: Done,
    errors: ['RATE_LIMITED'],
  })
  async resend({ body, request }: Given<typeof Resend>) {
    await this.limits.admit({ address: request.ip, email: body.email, of: 'mail' });
    this.registrations.resend(body.email, body.password);
    return { message: 'if the email waits for verification, a code is on its way' };
  }

  @Endpoint({
    ...open,
    path: 'login',
    summary: 'Sign in',
    body: Credentials,
    response: Session,
    errors: ['UNAUTHORIZED', 'RATE_LIMITED'],
  })
  async login({ body, request }: Given<typeof Credentials>) {
    const attempt = { address: request.ip, email: body.email, of: 'password' } as const;
    await this.limits.admit(attempt);
    const user = await this.users.login(body.email, body.password);
    await this.limits.succeeded(attempt);
    return this.sessions.begin(user);
  }

  @Endpoint({
    ...open,
    path: 'refresh',
    summary: 'New tokens for a refresh token, which works once; shown again it ends the sign-in',
    body: Refresh,
    response: Session,
    errors: ['UNAUTHORIZED'],
  })
  refresh({ body, idempotencyKey }: Given<typeof Refresh>) {
    return this.sessions.refresh(body.refreshToken, idempotencyKey);
  }

  @Endpoint({
    method: 'GET',
    path: 'fetch_user',
    access: 'signed-in',
    tag: 'Accounts',
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
  async fetchUser({ accountId, userId, agentsEnabled }: Call) {
    const user = userId === undefined ? undefined : await this.users.find(userId);
    const id = user?.id ?? accountId;
    return { id, uuid: id, accountId, email: user?.email ?? null, agentsEnabled, createdAt: user?.createdAt ?? null };
  }

  @Endpoint({
    method: 'GET',
    path: 'fetch_user_quota',
    access: 'signed-in',
    tag: 'Accounts',
    summary: 'What the account may use',
    response: wire({ requestsPerMinute: z.number(), agentsEnabled: z.boolean(), quotas: z.array(AccountQuota) }),
  })
  async quota({ accountId, agentsEnabled }: Call) {
    const quotas = await this.quotas.report(accountId);
    return { requestsPerMinute: this.config.ROOST_RATE_LIMIT_PER_MINUTE, agentsEnabled, quotas };
  }
}
