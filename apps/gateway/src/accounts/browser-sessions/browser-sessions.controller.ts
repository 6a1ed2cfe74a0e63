import { AccountId, EmailAddress, Password, Timestamp, wire } from '#lib/contracts';
import { CONFIG } from '#lib/bus';
import { Controller, Delete, Get, Inject, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { type GatewayConfig, isRegistrationOpen } from '../../config.js';
import { Body, Caller } from '../../http/arguments.js';
import { Endpoint, Tag } from '../../http/endpoint.js';
import type { Identity } from '../identity.js';
import { SIGN_IN_PROVIDERS } from '../oauth/sign-in-provider.js';
import { SignIns } from '../oauth/sign-ins.js';
import { BrowserSessions } from './browser-sessions.js';
import { requireOwnPage } from './own-page.js';
import { clearSessionCookie, sessionTokenOf, setSessionCookie } from './session-cookie.js';
import { type Proof, SessionStart } from './session-start.js';
import { SignInLinks } from './sign-in-links.js';

const NewSession = z.union([
  wire({
    email: EmailAddress.describe('Of a user whose email is verified.'),
    password: Password.describe('Theirs.'),
  }).describe('A user with a password.'),
  wire({ apiKey: z.string().min(1).max(200).describe('A key of the account, `roost_sk_…`.') }).describe(
    'Whoever holds an API key; the session ends when the key is revoked.',
  ),
  wire({ link: z.string().min(1).max(200).describe('The code of a link, from `POST /auth/sign_in_links`.') }).describe(
    'The browser on the machine of Roost itself, once for each link.',
  ),
  wire({
    provider: z.enum(SIGN_IN_PROVIDERS).describe('With whom `GET /auth/oauth/{provider}` began.'),
    code: z.string().min(1).max(2_000).describe('As the provider gave it to the browser.'),
    state: z.string().min(1).max(200).describe('As the provider gave it back.'),
    iss: z.url().max(2_000).optional().describe('The issuer, where the provider names itself (RFC 9207).'),
  }).describe('Who comes back from Google or GitHub.'),
]);
type NewSession = z.output<typeof NewSession>;
const Begun = wire({ accountId: AccountId.describe('Of the account that is signed in.') });
const Ended = wire({ message: z.string().describe('What was done, for people.') });
const NewLink = wire({
  code: z.string().describe('What `POST /auth/session` takes as `link`: a secret.'),
  path: z.string().describe('What a browser on the machine opens, below the address of Roost.'),
  expiresAt: Timestamp.describe('When it stops working, if it was not used before.'),
});
const Methods = wire({
  providers: z.array(z.enum(SIGN_IN_PROVIDERS)).describe('With whom people can sign in, besides email and password.'),
  isRegistrationOpen: z.boolean().describe('Whether anybody may make an account.'),
});

/** How browsers sign in: a cookie that no script reads, in place of a key or token that one would have to keep. */
@Tag('Accounts')
@Controller('auth')
export class BrowserSessionsController {
  constructor(
    private readonly sessions: BrowserSessions,
    private readonly starts: SessionStart,
    private readonly links: SignInLinks,
    private readonly signIns: SignIns,
    @Inject(CONFIG) private readonly config: GatewayConfig,
  ) {}

  @Post('session')
  @Endpoint({
    access: 'public',
    tenant: 'proof',
    summary: 'Sign a browser in: sets the session’s cookie',
    description:
      'For pages of this Roost, which send `X-Roost-CSRF: 1`; programs use an API key. The cookie is `HttpOnly` and `SameSite=Strict`, good for 30 days after its last use, and changes its value each hour. What was signed in by the browser’s cookie before is signed out.',
    response: Begun,
    status: 201,
    errors: ['UNAUTHORIZED', 'ACCESS_DENIED', 'NOT_FOUND', 'RATE_LIMITED'],
    example: { api_key: `roost_sk_${'0'.repeat(40)}` },
  })
  async begin(
    @Body(NewSession) body: NewSession,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    requireOwnPage(request);
    const { accountId, origin } = await this.starts.prove(body satisfies Proof, request);
    const token = await this.sessions.begin(accountId, origin);
    const before = sessionTokenOf(request);
    if (before !== undefined) await this.sessions.end(before);
    setSessionCookie(request, reply, token);
    return { accountId };
  }

  @Delete('session')
  @Endpoint({
    access: 'public',
    tenant: 'proof',
    summary: 'Sign the browser out: its cookie stops working at once',
    description:
      'Ends the session of the cookie, with every stream that is open by it. Without a session nothing changes.',
    response: Ended,
    errors: ['ACCESS_DENIED'],
  })
  async end(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    requireOwnPage(request);
    const token = sessionTokenOf(request);
    if (token !== undefined) await this.sessions.end(token);
    clearSessionCookie(request, reply);
    return { message: 'signed out' };
  }

  @Post('sign_in_links')
  @Endpoint({
    access: 'signed-in',
    summary: 'Make a link that signs in a browser on this machine',
    description:
      'By an API key alone. The link works once, for 15 minutes, and only from the machine that Roost runs on; `npm start` prints one.',
    response: NewLink,
    status: 201,
    errors: ['ACCESS_DENIED'],
  })
  async link(@Caller() caller: Identity) {
    const { code, expiresAt } = await this.links.create(caller);
    // After the hash: it reaches no log of a server or proxy.
    return { code, path: `/sign-in#link=${code}`, expiresAt };
  }

  @Get('sign_in_methods')
  @Endpoint({
    access: 'public',
    tenant: 'none',
    summary: 'How people can sign in here',
    description: 'For the page that signs people in. Email and password, and API keys, always work.',
    response: Methods,
  })
  methods() {
    return { providers: this.signIns.names, isRegistrationOpen: isRegistrationOpen(this.config) };
  }
}
