import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { startRoost, type TestRoost, until } from '#lib/testing';
import { SMTPServer } from 'smtp-server';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const open = { authorization: '' };
const user = { email: 'ada@example.test', password: 'correct horse battery' };
const logOf = (roost: TestRoost) => readFileSync(join(roost.dataDir, 'roost.log'), 'utf8');

describe('with a mail server', () => {
  let roost: TestRoost;
  let server: SMTPServer;
  const mails: { to: string; text: string }[] = [];

  beforeAll(async () => {
    server = new SMTPServer({
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
    roost = await startRoost({
      services: ['gateway'],
      env: { SMTP_URL: `smtp://roost:smtp-canary@127.0.0.1:${port}`, NODE_ENV: 'production' },
    });
  });
  afterAll(async () => {
    await roost?.stop();
    await new Promise<void>((done) => server.close(done));
  });
  const codeIn = (index: number) => /code is (\d{6})/.exec(mails[index]?.text ?? '')?.[1];

  it('lets people in with the code that it mails, in production too, and logs none', async () => {
    expect((await roost.api('POST', '/auth/create_user', user, open)).status).toBe(201);
    await until('the first mail is there', () => mails.length === 1);
    expect(mails[0]?.to).toBe(user.email);
    await roost.api('POST', '/auth/resend_verification', { email: user.email }, open);
    await until('the second mail is there', () => mails.length === 2);
    const [first, second] = [codeIn(0), codeIn(1)];
    // The newest counts.
    if (first !== second)
      expect((await roost.api('POST', '/auth/verify_user', { email: user.email, code: first }, open)).status).toBe(400);
    const verified = await roost.api('POST', '/auth/verify_user', { email: user.email, code: second }, open);
    expect(verified.status).toBe(200);
    expect((await roost.api('POST', '/auth/login', user, open)).status).toBe(200);
    expect(logOf(roost)).not.toContain(second);
    expect(logOf(roost)).not.toContain('smtp-canary');
  });

  it('mails nothing to a known or an unknown email that asks again, and answers alike', async () => {
    const [known, unknown] = [
      await roost.api('POST', '/auth/create_user', user, open),
      await roost.api('POST', '/auth/resend_verification', { email: 'nobody@example.test' }, open),
    ];
    expect([known.status, unknown.status]).toEqual([201, 200]);
    expect(mails).toHaveLength(2);
  });
});

describe('without a mail server', () => {
  it('logs the code in development', async () => {
    const roost = await startRoost({ services: ['gateway'] });
    try {
      await roost.api('POST', '/auth/create_user', user, open);
      const code = await until('the code is logged', () => /"verificationCode":"(\d{6})"/.exec(logOf(roost))?.[1]);
      expect((await roost.api('POST', '/auth/verify_user', { email: user.email, code }, open)).status).toBe(200);
    } finally {
      await roost.stop();
    }
  });

  it('closes registration in production', async () => {
    const roost = await startRoost({ services: ['gateway'], env: { NODE_ENV: 'production' } });
    try {
      expect((await roost.api('POST', '/auth/create_user', user, open)).status).toBe(403);
      expect(logOf(roost)).not.toContain('verificationCode');
    } finally {
      await roost.stop();
    }
  });
});
