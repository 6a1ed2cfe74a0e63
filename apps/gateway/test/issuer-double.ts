import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';

export const AUDIENCE = 'https://roost.example.test';

/** What a path of the double answers instead of the keys. */
type Answer = (response: ServerResponse) => void;

/**
 * An identity provider that publishes keys (RFC 7517) and signs tokens: one issuer per path, so that each can behave in
 * its own way.
 */
export async function issuerDouble() {
  const pair = await generateKeyPair('RS256', { extractable: true });
  const published = new Map<string, { keys: JWK[] } | Answer>();
  const fetched = new Map<string, number>();
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    fetched.set(path, (fetched.get(path) ?? 0) + 1);
    const answer = published.get(path);
    if (typeof answer === 'function') return answer(response);
    response.writeHead(answer ? 200 : 404, { 'content-type': 'application/jwk-set+json' });
    response.end(JSON.stringify(answer ?? {}));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const publicKey: JWK = { ...(await exportJWK(pair.publicKey)), kid: 'one', alg: 'RS256', use: 'sig' };
  return {
    origin,
    privateJwk: await exportJWK(pair.privateKey),
    publicKey,
    publish: (path: string, answer: { keys: JWK[] } | Answer) => published.set(path, answer),
    timesFetched: (path: string) => fetched.get(path) ?? 0,
    /** A token of the issuer at a path, good unless changed. */
    token(path: string, claims: object, header: object = {}, key: Parameters<SignJWT['sign']>[0] = pair.privateKey) {
      const now = Math.floor(Date.now() / 1_000);
      const all = { iss: `${origin}${path}`, aud: AUDIENCE, iat: now, exp: now + 300, ...claims };
      return new SignJWT(all).setProtectedHeader({ alg: 'RS256', kid: 'one', ...header }).sign(key);
    },
    async stop() {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}
