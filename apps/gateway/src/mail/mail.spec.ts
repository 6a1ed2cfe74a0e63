import { join } from 'node:path';
import { startRoost, type TestRoost, until, logText } from '#lib/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Mailbox, startMailbox } from '../../test/mailbox.js';

const open = { authorization: '' };
const user = { email: 'ada@example.test', password: 'correct horse battery' };
const logOf = (roost: TestRoost) => logText(join(roost.dataDir, 'roost.log'));

describe('with a mail server', () => {
  let roost: TestRoost;
  let box: Mailbox;

  beforeAll(async () => {
    box = await startMailbox();
    roost = await startRoost({ services: ['gateway'], env: { SMTP_URL: box.url, NODE_ENV: 'production' } });
  });
  afterAll(async () => {
    await roost?.stop();
    await box?.stop();
  });

  it('lets people in with the code that it mails, in production too, and logs none', async () => {
    expect((await roost.api('POST', '/auth/create_user', user, open)).status).toBe(201);
    const first = await box.code(user.email, 0);
    await roost.api('POST', '/auth/resend_verification', { email: user.email }, open);
    const second = await box.code(user.email, 1);
    // The newest counts.
    if (first !== second)
      expect((await roost.api('POST', '/auth/verify_user', { email: user.email, code: first }, open)).status).toBe(400);
    const verified = await roost.api('POST', '/auth/verify_user', { email: user.email, code: second }, open);
    expect(verified.status).toBe(200);
    expect((await roost.api('POST', '/auth/login', user, open)).status).toBe(200);
    expect(await logOf(roost)).not.toContain(second);
    expect(await logOf(roost)).not.toContain('smtp-canary');
  });

  it('mails nothing to a known or an unknown email that asks again, and answers alike', async () => {
    const [known, unknown] = [
      await roost.api('POST', '/auth/create_user', user, open),
      await roost.api('POST', '/auth/resend_verification', { email: 'nobody@example.test' }, open),
    ];
    expect([known.status, unknown.status]).toEqual([201, 200]);
    expect(box.mails).toHaveLength(2);
  });
});

describe('without a mail server', () => {
  it('logs the code in development', async () => {
    const roost = await startRoost({ services: ['gateway'] });
    try {
      await roost.api('POST', '/auth/create_user', user, open);
      const code = await until(
        'the code is logged',
        async () => /"verificationCode":"(\d{6})"/.exec(await logOf(roost))?.[1],
      );
      expect((await roost.api('POST', '/auth/verify_user', { email: user.email, code }, open)).status).toBe(200);
    } finally {
      await roost.stop();
    }
  });

  it('closes registration in production', async () => {
    const roost = await startRoost({ services: ['gateway'], env: { NODE_ENV: 'production' } });
    try {
      expect((await roost.api('POST', '/auth/create_user', user, open)).status).toBe(403);
      expect(await logOf(roost)).not.toContain('verificationCode');
    } finally {
      await roost.stop();
    }
  });
});
