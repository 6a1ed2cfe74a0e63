import { EmailAddress, Password, RoostError, wire } from '#lib/contracts';
import { Controller } from '@nestjs/common';
import { z } from 'zod';
import { type Call, Endpoint } from '../http/endpoint.js';
import { AccountDeletion } from './account-deletion.js';
import { LoginLimits } from './login-limits.js';
import { LoginSessions } from './login-sessions.js';
import { OwnerProof } from './owner-proof.js';
import { PasswordResets } from './password-resets.js';

const open = { method: 'POST', access: 'public', tenant: 'proof', tag: 'Accounts' } as const;
const signedIn = { method: 'POST', access: 'signed-in', tag: 'Accounts' } as const;
const Forgotten = wire({ email: EmailAddress });
const Reset = wire({ code: z.string().min(1).max(200), newPassword: Password });
const Change = wire({ currentPassword: Password.optional(), newPassword: Password });
const Delete = wire({ password: Password.optional() });
const Done = wire({ message: z.string() });
type Given<S extends z.ZodType> = Call<unknown, unknown, z.output<S>>;

/** Passwords and sign-ins after the first: forgotten, changed, ended. */
@Controller('auth')
export class CredentialsController {
  constructor(
    private readonly resets: PasswordResets,
    private readonly sessions: LoginSessions,
    private readonly proof: OwnerProof,
    private readonly limits: LoginLimits,
    private readonly deletion: AccountDeletion,
  ) {}

  @Endpoint({
    ...open,
    path: 'forgot_password',
    summary: 'Mail a code with which a new password can be chosen',
    body: Forgotten,
    response: Done,
    errors: ['RATE_LIMITED'],
  })
  async forgot({ body, request }: Given<typeof Forgotten>) {
    await this.limits.admit({ address: request.ip, email: body.email, of: 'mail' });
    this.resets.request(body.email);
    return { message: 'if the email is known, a code is on its way' };
  }

  @Endpoint({
    ...open,
    path: 'reset_password',
    summary: 'Choose a new password with the mailed code; every sign-in ends',
    body: Reset,
    response: Done,
    errors: ['RATE_LIMITED'],
  })
  async reset({ body, request }: Given<typeof Reset>) {
    await this.limits.admit({ address: request.ip, of: 'code' });
    const { email } = await this.resets.reset(body.code, body.newPassword);
    await this.limits.succeeded({ address: request.ip, email, of: 'password' });
    return { message: 'the password is changed: sign in with it' };
  }

  @Endpoint({
    ...signedIn,
    path: 'change_password',
    summary: 'Change the password; every other sign-in ends',
    body: Change,
    response: Done,
    errors: ['ACCESS_DENIED', 'RATE_LIMITED'],
  })
  async change(call: Given<typeof Change>) {
    const user = await this.proof.require(call, call.body.currentPassword, 'current_password');
    await this.resets.change(user.id, call.sessionId, call.body.newPassword);
    return { message: 'the password is changed; other sign-ins are ended' };
  }

  @Endpoint({
    ...signedIn,
    path: 'logout',
    summary: 'End this sign-in: its tokens stop working at once',
    response: Done,
    errors: ['ACCESS_DENIED'],
  })
  async logout({ userId, sessionId }: Call) {
    if (userId === undefined) throw onlyTokens();
    // A token of the previous version names no sign-in: it ends with all others.
    if (sessionId === undefined) await this.sessions.endAllOf(userId);
    else await this.sessions.end(sessionId, userId);
    return { message: 'signed out' };
  }

  @Endpoint({
    ...signedIn,
    path: 'logout_everywhere',
    summary: 'End every sign-in of the user; API keys go on',
    response: Done,
    errors: ['ACCESS_DENIED'],
  })
  async logoutEverywhere({ userId }: Call) {
    if (userId === undefined) throw onlyTokens();
    await this.sessions.endAllOf(userId);
    return { message: 'signed out everywhere' };
  }

  @Endpoint({
    ...signedIn,
    path: 'delete_account',
    summary: 'Delete the account with everything it owns, for good; needs the password, or a sign-in just made',
    body: Delete,
    response: Done,
    errors: ['ACCESS_DENIED', 'RATE_LIMITED'],
  })
  async delete(call: Given<typeof Delete>) {
    const user = await this.proof.require(call, call.body.password, 'password');
    await this.deletion.delete(user.accountId);
    return { message: 'the account is deleted' };
  }
}

const onlyTokens = () =>
  new RoostError(
    'ACCESS_DENIED',
    'an API key is no sign-in: sign in, and send the token; revoke keys at platform_keys',
  );
