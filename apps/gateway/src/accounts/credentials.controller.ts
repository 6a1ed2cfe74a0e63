import { Done, EmailAddress, Password, RoostError, wire } from '#lib/contracts';
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
const Reset = wire({
  code: z.string().min(1).max(200).describe('The code that was mailed.'),
  newPassword: Password.describe('The new password: 8 to 1,000 characters.'),
});
type Reset = z.output<typeof Reset>;
const Change = wire({
  currentPassword: Password.optional().describe('The present password; left out by who has none.'),
  newPassword: Password.describe('The new password: 8 to 1,000 characters.'),
});
type Change = z.output<typeof Change>;
const Deletion = wire({ password: Password.optional().describe('The password; left out by who has none.') });
type Deletion = z.output<typeof Deletion>;
const Answer = wire({ message: Done });

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
    description:
      'Answers alike, and as fast, for every email, so that nobody learns who has an account. At most 5 mails in 15 minutes.',
    responseDescription: 'A code is on its way, if the email is known.',
    response: Answer,
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
    description: 'The code works once, for 30 minutes. API keys go on.',
    responseDescription: 'The password is changed.',
    response: Answer,
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
    description:
      'Needs the present password, or, of somebody without one, a sign-in of the last ten minutes. API keys cannot do it (403).',
    responseDescription: 'The password is changed.',
    response: Answer,
    errors: ['ACCESS_DENIED', 'RATE_LIMITED'],
  })
  async change(@Body(Change) body: Change, @Caller() caller: Identity, @Req() request: FastifyRequest) {
    const shown = { field: 'current_password', password: body.currentPassword };
    const owner = await this.owners.require(caller, request.ip, shown);
    await this.resets.change(owner, body.newPassword);
    return { message: 'the password is changed; other sign-ins are ended' };
  }

  @Post('logout')
  @Endpoint({
    access: 'signed-in',
    summary: 'End this sign-in: its tokens stop working at once',
    description: 'For tokens of sign-ins; an API key is revoked at `platform_keys` instead (403 here).',
    responseDescription: 'It is ended.',
    response: Answer,
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
    description: 'All tokens stop working at once, this one too.',
    responseDescription: 'They are ended.',
    response: Answer,
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
    summary: 'Delete the account with everything it owns, permanently; needs the password, or a sign-in just made',
    description: 'Agents, files, messages, keys: in every service. API keys cannot do it (403).',
    responseDescription: 'The account is deleted.',
    response: Answer,
    errors: ['ACCESS_DENIED', 'RATE_LIMITED'],
  })
  async delete(@Body(Deletion) body: Deletion, @Caller() caller: Identity, @Req() request: FastifyRequest) {
    const owner = await this.owners.require(caller, request.ip, { field: 'password', password: body.password });
    await this.deletion.delete(owner.user.accountId, owner);
    return { message: 'the account is deleted' };
  }
}

const onlyTokens = () =>
  new RoostError(
    'ACCESS_DENIED',
    'an API key is no sign-in: sign in, and send the token; revoke keys at platform_keys',
  );
