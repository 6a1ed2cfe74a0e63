import fc from 'fast-check';
import { Webhook } from 'standardwebhooks';
import { Webhook as SvixWebhook } from 'svix';
import { describe, expect, it } from 'vitest';
import { signWebhook, verifyWebhook, WebhookVerificationError } from './signature.js';

const secret = `whsec_${Buffer.alloc(24, 7).toString('base64')}`;
const other = `whsec_${Buffer.alloc(24, 8).toString('base64')}`;
const body = JSON.stringify({
  type: 'webhook.test',
  timestamp: '2026-01-01T00:00:00.000Z',
  data: { endpoint_id: 'ä' },
});
const now = Date.now();
const signed = (text = body) => signWebhook(text, secret, { id: 'msg_1', now });

describe('webhook signatures', () => {
  it('verifies what the published libraries sign, and they what it signs', async () => {
    for (const library of [new Webhook(secret), new SvixWebhook(secret)]) {
      const headers = {
        'webhook-id': 'msg_2',
        'webhook-timestamp': String(Math.floor(now / 1_000)),
        'webhook-signature': library.sign('msg_2', new Date(now), body),
      };
      await expect(verifyWebhook(body, headers, secret)).resolves.toMatchObject({ type: 'webhook.test' });
      expect(library.verify(body, await signed())).toMatchObject({ type: 'webhook.test' });
    }
  });

  it('takes the body as text or bytes, and headers in each usual form', async () => {
    const headers = await signed();
    const upper = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toUpperCase(), [value]]));
    for (const payload of [body, Buffer.from(body), new TextEncoder().encode(body).buffer])
      for (const form of [headers, new Headers(headers), new Request('http://x', { headers }).headers, upper])
        await expect(verifyWebhook(payload, form, secret)).resolves.toMatchObject({ data: { endpoint_id: 'ä' } });
  });

  it('takes either secret while one is changed, and either signature', async () => {
    const headers = await signed();
    const stranger = (await signWebhook(body, other, { id: 'msg_1', now }))['webhook-signature'];
    await expect(verifyWebhook(body, headers, [other, secret])).resolves.toBeDefined();
    const both = { ...headers, 'webhook-signature': `v1a,AAAA ${stranger} ${headers['webhook-signature']}` };
    await expect(verifyWebhook(body, both, secret)).resolves.toBeDefined();
    await expect(verifyWebhook(body, { ...headers, 'webhook-signature': stranger }, secret)).rejects.toThrow(
      WebhookVerificationError,
    );
  });

  it('refuses what is older than the tolerance, or from the future', async () => {
    const headers = await signed();
    for (const seconds of [299, -299])
      await expect(verifyWebhook(body, headers, secret, { now: now + seconds * 1_000 })).resolves.toBeDefined();
    for (const seconds of [302, -302])
      await expect(verifyWebhook(body, headers, secret, { now: now + seconds * 1_000 })).rejects.toThrow(/too far/);
    const narrow = { now: now + 11_000, toleranceSeconds: 10 };
    await expect(verifyWebhook(body, headers, secret, narrow)).rejects.toThrow(/too far/);
  });

  it('refuses any change of body, id, time or signature', async () => {
    const headers = await signed();
    const parts = { body, ...headers };
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...(Object.keys(parts) as (keyof typeof parts)[])),
        fc.nat(),
        fc.string({ minLength: 1 }),
        async (part, place, more) => {
          const at = place % (parts[part].length + 1);
          const changed = { ...parts, [part]: parts[part].slice(0, at) + more + parts[part].slice(at) };
          const { body: text, ...rest } = changed;
          // Base64 reads over blanks, and a second signature may be there.
          fc.pre(!(part === 'webhook-signature' && /^[\s=]*$|\s/.test(more)));
          await expect(verifyWebhook(text, rest, secret)).rejects.toThrow(WebhookVerificationError);
        },
      ),
      { numRuns: 300 },
    );
  });

  it.each([
    ['no headers', {}, secret],
    ['a secret that is none', undefined, 'whsec_%%%'],
    ['an empty secret', undefined, ''],
  ])('says what is wrong with %s', async (_, headers, key) => {
    await expect(verifyWebhook(body, headers ?? (await signed()), key)).rejects.toThrow(WebhookVerificationError);
  });
});
