import type { AddressInfo } from 'node:net';
import { until } from '#lib/testing';
import { SMTPServer } from 'smtp-server';

export interface Mail {
  to: string;
  text: string;
}

/** A mail server that keeps what it is given, to be read as its people would. */
export async function startMailbox() {
  const mails: Mail[] = [];
  const server = new SMTPServer({
    authOptional: false,
    disabledCommands: ['STARTTLS'],
    onAuth: ({ username, password }, _session, done) =>
      username === 'roost' && password === 'smtp-canary' ? done(null, { user: 'roost' }) : done(new Error('no')),
    onData: (stream, session, done) => {
      let text = '';
      stream.on('data', (chunk: Buffer) => (text += chunk.toString('utf8')));
      stream.on('end', () => {
        mails.push({ to: session.envelope.rcptTo[0]?.address ?? '', text });
        done();
      });
    },
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.server.address() as AddressInfo;
  const to = (email: string) => mails.filter((mail) => mail.to === email);
  return {
    url: `smtp://roost:smtp-canary@127.0.0.1:${port}`,
    mails,
    to,
    /** The code in the nth mail to this address that holds one; waits for it. */
    code: (email: string, n = 0) =>
      until(`code ${n} for ${email} is there`, () => codesIn(to(email), /code is (\d{6})/)[n]),
    resetCode: (email: string, n = 0) =>
      until(`reset code ${n} for ${email} is there`, () => codesIn(to(email), /reset code is:\s+([\w-]{40,})/)[n]),
    stop: () => new Promise<void>((done) => server.close(done)),
  };
}
export type Mailbox = Awaited<ReturnType<typeof startMailbox>>;

const codesIn = (mails: Mail[], code: RegExp) => mails.flatMap(({ text }) => code.exec(text)?.[1] ?? []);
