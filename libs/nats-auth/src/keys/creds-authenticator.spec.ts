import { credsAuthenticator as clientsOwn } from '@nats-io/transport-node';
import { beforeAll, describe, expect, it } from 'vitest';
import { createTrust, workspaceCredentials } from '#lib/nats-auth';
import { credsAuthenticator } from './creds-authenticator.js';

let credentials: string;

beforeAll(async () => {
  const seed = (await createTrust(['ROOST'])).accounts[0]?.seed ?? '';
  credentials = await workspaceCredentials(seed, 'agent', { ttlSeconds: 60 });
});

describe('the signature', () => {
  it('is the one that the NATS client makes of the same challenge', () => {
    const { jwt, sig } = clientsOwn(Buffer.from(credentials))('a challenge') as { jwt: string; sig: string };
    expect(credsAuthenticator(credentials)('a challenge')).toEqual({ jwt, sig });
  });

  it('is not made with what are no credentials', () => {
    expect(() => credsAuthenticator('a token')).toThrow(/\.creds file/);
  });
});
