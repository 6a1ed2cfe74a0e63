import { RoostError, Timestamp, wire } from '#lib/contracts';
import { CONFIG } from '#lib/bus';
import { Controller, Inject } from '@nestjs/common';
import { z } from 'zod';
import { type Call, Endpoint } from '../http/endpoint.js';
import { LoginLimits } from './login-limits.js';
import { Tokens } from './tokens.js';
import { Users } from './users.js';

const open = { method: 'POST', access: 'public', tenant: 'proof', tag: 'Accounts' } as const;
const Email = z.email().max(254);
const Password = z.string().min(8).max(1_000);
const Credentials = wire({ email: Email, password: Password });
const Code = wire({ email: Email, code: z.string().min(1).max(20) });
const OnlyEmail = wire({ email: Email });
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
    private readonly tokens: Tokens,
    private readonly limits: LoginLimits,
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
    const email = body.email.toLowerCase();
    await this.limits.admit(request.ip, email);
    await this.users.register(email, body.password);
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
    const email = body.email.toLowerCase();
    await this.limits.admit(request.ip, email);
    await this.users.confirm(email, body.code);
    return { message: 'the email is verified' };
  }

  @Endpoint({
    ...open,
    path: 'resend_verification',
    summary: 'Send the verification code again',
    body: OnlyEmail,
    response: Done,
    errors: ['RATE_LIMITED'],
  })
  async resend({ body, request }: Given<typeof OnlyEmail>) {
    const email = body.email.toLowerCase();
    await this.limits.admit(request.ip, email);
    await this.users.resend(email);
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
    const email = body.email.toLowerCase();
    await this.limits.admit(request.ip, email);
    const user = await this.users.login(email, body.password);
    await this.limits.forgive(email);
    return this.tokens.issue(user.id, user.accountId);
  }

  @Endpoint({
    ...open,
    path: 'refresh',
    summary: 'New tokens for a refresh token',
    body: Refresh,
    response: Session,
    errors: ['UNAUTHORIZED'],
  })
  async refresh({ body }: Given<typeof Refresh>) {
    const shown = await this.tokens.verify(body.refreshToken, 'refresh');
    const user = shown && (await this.users.find(shown.userId));
    if (!user) throw new RoostError('UNAUTHORIZED', 'the refresh token is not valid: sign in again');
    return this.tokens.issue(user.id, user.accountId);
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
    response: wire({ requestsPerMinute: z.number(), agentsEnabled: z.boolean() }),
  })
  quota({ agentsEnabled }: Call) {
    return { requestsPerMinute: this.config.ROOST_RATE_LIMIT_PER_MINUTE, agentsEnabled };
  }
}
