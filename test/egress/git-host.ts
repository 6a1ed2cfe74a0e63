import { execFileSync, spawn } from 'node:child_process';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import { join } from 'node:path';

/** Serves `/repo.git` by git's own `http-backend`, to who brings the password. */
export function gitHost(folder: string) {
  execFileSync('git', ['init', '-q', '--bare', '-b', 'main', join(folder, 'repo.git')]);
  execFileSync('git', ['-C', join(folder, 'repo.git'), 'config', 'http.receivepack', 'true']);
  return async (
    request: (IncomingMessage | Http2ServerRequest) & { bytes?: Buffer },
    response: ServerResponse & Http2ServerResponse,
    password: () => string,
  ): Promise<void> => {
    const wanted = `Basic ${btoa(`x-access-token:${password()}`)}`;
    if (request.headers['authorization'] !== wanted) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="git"' }).end();
      return;
    }
    const url = new URL(request.url ?? '/', 'https://x');
    const backend = spawn('git', ['http-backend'], {
      env: {
        PATH: process.env['PATH'],
        GIT_PROJECT_ROOT: folder,
        GIT_HTTP_EXPORT_ALL: '1',
        PATH_INFO: url.pathname,
        QUERY_STRING: url.search.slice(1),
        REQUEST_METHOD: request.method,
        CONTENT_TYPE: String(request.headers['content-type'] ?? ''),
        HTTP_CONTENT_ENCODING: String(request.headers['content-encoding'] ?? ''),
        GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
        REMOTE_USER: 'agent',
      },
    });
    // It answers many requests without reading them.
    backend.stdin.on('error', () => undefined).end(request.bytes);
    const chunks: Buffer[] = [];
    for await (const chunk of backend.stdout) chunks.push(chunk as Buffer);
    const whole = Buffer.concat(chunks);
    const end = whole.indexOf('\r\n\r\n');
    const lines = whole.subarray(0, end).toString().split('\r\n');
    const headers = Object.fromEntries(
      lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 2)]),
    );
    const { status, ...others } = headers;
    response.writeHead(Number(status?.slice(0, 3) ?? 200), others).end(whole.subarray(end + 4));
  };
}
