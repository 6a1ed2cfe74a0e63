import { createHash, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface GithubDouble {
  url: string;
  /** Who signs in. */
  user: { id: number; emails: { email: string; primary: boolean; verified: boolean }[] };
  /** What the browser brings back from the authorization page: a code, bound to the challenge of PKCE. */
  authorize(authorizationUrl: string): string;
  stop(): Promise<void>;
}

/**
 * Speaks GitHub's web application flow and the two endpoints of its REST API that signing in needs
 * (docs.github.com, "Authorizing OAuth apps", "Users" and "Emails"): errors of the token endpoint come with status 200.
 */
export async function githubDouble(): Promise<GithubDouble> {
  const challenges = new Map<string, string>();
  const tokens = new Set<string>();
  const server = createServer((request, response) => {
    void (async () => {
      const answer = (body: object, status = 200) =>
        response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' }).end(JSON.stringify(body));
      const { pathname } = new URL(request.url ?? '', 'http://localhost');
      if (pathname === '/login/oauth/access_token') {
        const form = new URLSearchParams(await textOf(request));
        const challenge = challenges.get(form.get('code') ?? '');
        challenges.delete(form.get('code') ?? '');
        const shown = createHash('sha256')
          .update(form.get('code_verifier') ?? '')
          .digest('base64url');
        if (challenge === undefined || challenge !== shown)
          return answer({
            error: 'bad_verification_code',
            error_description: 'The code passed is incorrect or expired.',
          });
        const token = `gho_${randomUUID()}`;
        tokens.add(token);
        return answer({ access_token: token, scope: 'read:user,user:email', token_type: 'bearer' });
      }
      const token = /^bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? '';
      if (!tokens.has(token) || !request.headers['user-agent']) return answer({ message: 'Bad credentials' }, 401);
      if (pathname === '/user') return answer({ id: double.user.id, login: 'somebody', email: null });
      if (pathname === '/user/emails') return answer(double.user.emails);
      return answer({ message: 'Not Found' }, 404);
    })();
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const double: GithubDouble = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    user: { id: 1, emails: [] },
    authorize(authorizationUrl) {
      const code = randomUUID();
      challenges.set(code, new URL(authorizationUrl).searchParams.get('code_challenge') ?? '');
      return code;
    },
    async stop() {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
  return double;
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
