import { RoostError, wire } from '#lib/contracts';
import { Controller } from '@nestjs/common';
import { z } from 'zod';
import { type Call, Endpoint } from '../../http/endpoint.js';
import { Session } from '../accounts.controller.js';
import { LoginLimits } from '../login-limits.js';
import { LoginSessions } from '../login-sessions.js';
import { SIGN_IN_PROVIDERS } from './sign-in-provider.js';
import { SignIns } from './sign-ins.js';

const common = { access: 'public', tenant: 'proof', tag: 'Accounts' } as const;
const ProviderParams = z.object({ provider: z.string() });
const Callback = wire({
  code: z.string().min(1).max(2_000),
  state: z.string().min(1).max(200),
  /** RFC 9207: some issuers name themselves in the answer, and it must then be handed on. */
  iss: z.url().max(2_000).optional(),
});

/** spec: 00-overview, "Accounts": signing in with Google or GitHub. */
@Controller('auth/oauth/:provider')
export class OauthController {
  constructor(
    private readonly signIns: SignIns,
    private readonly sessions: LoginSessions,
    private readonly limits: LoginLimits,
  ) {}

  @Endpoint({
    ...common,
    method: 'GET',
    path: '',
    summary: 'Where to send the browser; keep `state` and compare it with the one that comes back',
    params: ProviderParams,
    response: wire({ authorizationUrl: z.string(), state: z.string() }),
    errors: ['NOT_FOUND', 'RATE_LIMITED'],
  })
  async begin({ params, request }: Call<z.output<typeof ProviderParams>>) {
    await this.limits.admit({ address: request.ip, of: 'password' });
    return this.signIns.begin(nameOf(params.provider));
  }

  @Endpoint({
    ...common,
    method: 'POST',
    path: 'callback',
    summary: 'Sign in with the code that the browser brought back',
    params: ProviderParams,
    body: Callback,
    response: Session,
    errors: ['UNAUTHORIZED', 'ACCESS_DENIED', 'NOT_FOUND', 'RATE_LIMITED'],
  })
  async finish({ params, body, request }: Call<z.output<typeof ProviderParams>, unknown, z.output<typeof Callback>>) {
    await this.limits.admit({ address: request.ip, of: 'password' });
    const user = await this.signIns.finish(nameOf(params.provider), body);
    return this.sessions.begin(user);
  }
}

function nameOf(provider: string) {
  const name = SIGN_IN_PROVIDERS.find((known) => known === provider);
  if (!name)
    throw new RoostError(
      'NOT_FOUND',
      `there is no signing in with that provider: use ${SIGN_IN_PROVIDERS.join(' or ')}`,
    );
  return name;
}
