import { EmailAddress, Password, RoostError, wire } from '#lib/contracts';
import { Controller, Post, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Identity } from './identity.js';
import { Body, Caller } from '../http/arguments.js';
import { Endpoint, Tag } from '../http/endpoint.js';
import { AccountDeletion } from './account-deletion.js';
import { LoginLimits } from './login-limits.js';
import { LoginSessions } from './login-sessions.js';
import { OwnerCheck } from './owner-check.js';
import { PasswordResets } from './password-resets.js';

const Forgotten = wire({ email: EmailAddress });
type Forgotten = z.output<typeof Forgotten>;
const Reset = wire({ code: z.string().min(1).max(200), newPassword: Password });
type Reset = z.output<typeof Reset>;
const Change = wire({ currentPassword: Password.optional(), newPassword: Password });
type Change = z.output<typeof Change>;
const Deletion = wire({ password: Password.optional() });
type Deletion = z.output<typeof Deletion>;
const Done = wire({ message: z.string() });

/** Passwords and sign-ins after the first: forgotten, changed, ended. */
@Tag('Accounts')
@Controller('auth')
export class CredentialsController {
  constructor(
    private readonly resets: PasswordResets,
    private readonly sessions: LoginSessions,
    private readonly owners: OwnerCheck,
    private readonly limits: LoginLimits,
    private readonly deletion: AccountDeletion,
  ) {}

  @Post('forgot_password')
  @Endpoint({
    access: 'public',
    tenant: 'proof',
    summary: 'Mail a code with which a new password can be chosen',
    response: Done,
    errors: ['RATE_LIMITED'],
  })
  async forgot(@Body(Forgotten) body: Forgotten, @Req() request: FastifyRequest) {
    await this.limits.admit({ address: request.ip, email: body.email, of: 'mail' });
    this.resets.request(body.email);
    return { message: 'if the email is known, a code is on its way' };
  }

  @Post('reset_password')
  @Endpoint({
    access: 'public',
    tenant: 'proof',
    summary: 'Choose a new password with the mailed code; every sign-in ends',
    response: Done,
    errors: ['RATE_LIMITED'],
  })
  async reset(@Body(Reset) body: Reset, @Req() request: FastifyRequest) {
    await this.limits.admit({ address: request.ip, of: 'code' });
    const { email } = await this.resets.reset(body.code, body.newPassword);
    await this.limits.succeeded({ address: request.ip, email, of: 'password' });
    return { message: 'the password is changed: sign in with it' };
  }

  @Post('change_password')
  @Endpoint({
    access: 'signed-in',
    summary: 'Change the password; every other sign-in ends',
    response: Done,
    errors: ['ACCESS_DENIED', 'RATE_LIMITED'],
  })
  async change(@Body(Change) body: Change, @Caller() caller: Identity, @Req() request: FastifyRequest) {
    const shown = { field: 'current_password', password: body.currentPassword };
    const user = await this.owners.require(caller, request.ip, shown);
    await this.resets.change(user.id, caller.sessionId, body.newPassword);
    return { message: 'the password is changed; other sign-ins are ended' };
  }

  @Post('logout')
  @Endpoint({
    access: 'signed-in',
    summary: 'End this sign-in: its tokens stop working at once',
    response: Done,
    errors: ['ACCESS_DENIED'],
  })
  async logout(@Caller() { userId, sessionId }: Identity) {
    if (userId === undefined) throw onlyTokens();
    // A token of the previous version names no sign-in: it ends with all others.
    if (sessionId === undefined) await this.sessions.endAllOf(userId);
    else await this.sessions.end(sessionId, userId);
    return { message: 'signed out' };
  }

  @Post('logout_everywhere')
  @Endpoint({
    access: 'signed-in',
    summary: 'End every sign-in of the user; API keys go on',
    response: Done,
    errors: ['ACCESS_DENIED'],
  })
  async logoutEverywhere(@Caller() { userId }: Identity) {
    if (userId === undefined) throw onlyTokens();
    await this.sessions.endAllOf(userId);
    return { message: 'signed out everywhere' };
  }

  @Post('delete_account')
  @Endpoint({
    access: 'signed-in',
    summary: 'Delete the account with everything it owns, for good; needs the password, or a sign-in just made',
    response: Done,
    errors: ['ACCESS_DENIED', 'RATE_LIMITED'],
  })
  async delete(@Body(Deletion) body: Deletion, @Caller() caller: Identity, @Req() request: FastifyRequest) {
    const user = await this.owners.require(caller, request.ip, { field: 'password', password: body.password });
    await this.deletion.delete(user.accountId);
    return { message: 'the account is deleted' };
  }
}

const onlyTokens = () =>
  new RoostError(
    'ACCESS_DENIED',
    'an API key is no sign-in: sign in, and send the token; revoke keys at platform_keys',
  );
