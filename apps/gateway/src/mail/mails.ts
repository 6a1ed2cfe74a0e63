export interface Mail {
  subject: string;
  text: string;
}

/**
 * What people are sent, in lines short enough to be sent as they are. Nothing in a mail comes from who caused it: a stranger could write
 * to anybody in our name.
 */
export const mails = {
  verificationCode: (code: string): Mail => ({
    subject: 'Your Roost verification code',
    text: `Your verification code is ${code}. It is good for one hour.

Use it only if you registered just now. If you did not, ignore this
mail: without the code nobody can use your address. If you registered
once and got several codes, somebody else registered your address too:
use the code that came when you did.
`,
  }),
  resetCode: (code: string): Mail => ({
    subject: 'Choose a new Roost password',
    text: `Somebody, probably you, asked for a new password for your Roost account.
Your reset code is:

${code}

It works once, for 30 minutes. When you use it you are signed out
everywhere.

If you did not ask for it, ignore this mail: your password stays as it
is. Give the code to nobody.
`,
  }),
  passwordChanged: (): Mail => ({
    subject: 'Your Roost password was changed',
    text: `The password of your Roost account was changed just now, and other sign-
ins were ended. API keys still work.

If this was not you, ask for a password reset at once and revoke the API
keys that you do not know.
`,
  }),
  accountDeleted: (): Mail => ({
    subject: 'Your Roost account was deleted',
    text: `Your Roost account was deleted just now, with its agents, their files,
messages, schedules, triggers, webhooks, MCP servers and keys. It cannot
be brought back.

If this was not you, tell the operator of this Roost at once.
`,
  }),
};
