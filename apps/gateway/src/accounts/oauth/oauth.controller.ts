import { RoostError, wire } from '#lib/contracts';
import { Controller, Get, Post, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { Body, Param } from '../../http/arguments.js';
import { Endpoint, Tag } from '../../http/endpoint.js';
import { Session } from '../accounts.controller.js';
import { LoginLimits } from '../login-limits.js';
import { LoginSessions } from '../login-sessions.js';
import { SIGN_IN_PROVIDERS } from './sign-in-provider.js';
import { SignIns } from './sign-ins.js';

const ProviderParams = z.object({ provider: z.string().describe('`google` or `github`.') });
type ProviderParams = z.output<typeof ProviderParams>;
const Callback = wire({
  code: z.string().min(1).max(2_000).describe('What the browser came back with. Works once.'),
  state: z.string().min(1).max(200).describe('The state that came with it.'),
  iss: z
    .url()
    .max(2_000)
    .optional()
    .describe('The issuer, where the browser came back with one (RFC 9207): hand it on.'),
});
type Callback = z.output<typeof Callback>;

/** spec: 00-overview, "Accounts": signing in with Google or GitHub. */
@Tag('Accounts')
@Controller('auth/oauth/:provider')
export class OauthController {
  constructor(
    private readonly signIns: SignIns,
    private readonly sessions: LoginSessions,
    private readonly limits: LoginLimits,
  ) {}

  @Get()
  @Endpoint({
    access: 'public',
    tenant: 'proof',
    summary: 'Where to send the browser; keep `state` and compare it with the one that comes back',
    description:
      'Begins a sign-in with Google or GitHub. Open the address; the browser comes back to the page that the operator named (`ROOST_OAUTH_REDIRECT_URL`) with `code` and `state`. 404: that provider is not set up.',
    responseDescription: 'The address and the state.',
    response: wire({
      authorizationUrl: z.string().describe('The address to open in the browser.'),
      state: z.string().describe('Keep it, and compare it with the one that comes back.'),
    }),
    errors: ['NOT_FOUND', 'RATE_LIMITED'],
  })
  async begin(@Param(ProviderParams) { provider }: ProviderParams, @Req() request: FastifyRequest) {
    await this.limits.admit({ address: request.ip, of: 'password' });
    return this.signIns.begin(nameOf(provider));
  }

  @Post('callback')
  @Endpoint({
    access: 'public',
    tenant: 'proof',
    summary: 'Sign in with the code that the browser brought back',
    description:
      'The user is found by the provider’s own id of them, else by an email that the provider has verified; else an account is made, where registration is open.',
    responseDescription: 'The tokens.',
    response: Session,
    errors: ['UNAUTHORIZED', 'ACCESS_DENIED', 'NOT_FOUND', 'RATE_LIMITED'],
  })
  async finish(
    @Param(ProviderParams) { provider }: ProviderParams,
    @Body(Callback) body: Callback,
    @Req() request: FastifyRequest,
  ) {
    await this.limits.admit({ address: request.ip, of: 'password' });
    const user = await this.signIns.finish(nameOf(provider), body);
    return this.sessions.begin({ user, passwordHash: undefined });
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
