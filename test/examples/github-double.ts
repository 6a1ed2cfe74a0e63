import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** The one operation of GitHub's API that the triager uses, with what GitHub asks of it: a token, a version, a body. */
export class GitHubDouble {
  readonly comments: { path: string; body: string }[] = [];

  private constructor(
    private readonly server: Server,
    readonly url: string,
  ) {}

  static async start(token: string): Promise<GitHubDouble> {
    const server = createServer((request, response) => {
      const answer = (status: number, body: object) =>
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
      const { url: path = '', method, headers } = request;
      void text(request).then((sent) => {
        if (headers.authorization !== `Bearer ${token}`) return answer(401, { message: 'Bad credentials' });
        if (method !== 'POST' || !/^\/repos\/[\w.-]+\/[\w.-]+\/issues\/\d+\/comments$/.test(path))
          return answer(404, { message: 'Not Found' });
        const { body } = JSON.parse(sent) as { body?: unknown };
        if (typeof body !== 'string' || body === '') return answer(422, { message: 'Validation Failed' });
        return answer(201, { id: double.comments.push({ path, body }) });
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const double = new GitHubDouble(server, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    return double;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
