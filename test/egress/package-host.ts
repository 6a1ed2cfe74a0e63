import { execFileSync } from 'node:child_process';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';

const wheel = 'thing-1.0.0-py3-none-any.whl';
/** A wheel is a zip, which Python itself writes. */
const writeWheel = `
import sys, io, zipfile
out = io.BytesIO()
with zipfile.ZipFile(out, 'w') as file:
    file.writestr('thing.py', "said = 'installed by pip'")
    file.writestr('thing-1.0.0.dist-info/METADATA', 'Metadata-Version: 2.1\\nName: thing\\nVersion: 1.0.0\\n')
    file.writestr('thing-1.0.0.dist-info/WHEEL', 'Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')
    file.writestr('thing-1.0.0.dist-info/RECORD', '')
sys.stdout.buffer.write(out.getvalue())`;

function tarball(): Promise<Buffer> {
  const archive = pack();
  archive.entry({ name: 'package/package.json' }, JSON.stringify({ name: 'thing', version: '1.0.0', main: 'main.js' }));
  archive.entry({ name: 'package/main.js' }, "module.exports = 'installed by npm';");
  archive.finalize();
  return buffer(archive).then((bytes) => gzipSync(bytes));
}

/** A registry of npm below `/npm/` and an index of pip below `/pip/`, each with one package, for who brings the token. */
export function packageHost() {
  const packed = tarball();
  return async (
    request: IncomingMessage | Http2ServerRequest,
    response: ServerResponse & Http2ServerResponse,
    { token, host }: { token: string; host: string },
  ): Promise<void> => {
    const { pathname } = new URL(request.url ?? '/', 'https://x');
    const wanted = pathname.startsWith('/npm/') ? `Bearer ${token}` : `Basic ${btoa(`x-access-token:${token}`)}`;
    if (request.headers['authorization'] !== wanted) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="packages"' }).end();
      return;
    }
    const answers: Record<string, () => [type: string, body: string | Buffer] | Promise<[string, string | Buffer]>> = {
      '/npm/thing': () => {
        const dist = { tarball: `https://${host}/npm/thing/-/thing-1.0.0.tgz` };
        const versions = { '1.0.0': { name: 'thing', version: '1.0.0', dist } };
        return ['application/json', JSON.stringify({ name: 'thing', 'dist-tags': { latest: '1.0.0' }, versions })];
      },
      '/npm/thing/-/thing-1.0.0.tgz': async () => ['application/octet-stream', await packed],
      '/pip/simple/thing/': () => ['text/html', `<!DOCTYPE html><a href="/pip/${wheel}">${wheel}</a>`],
      [`/pip/${wheel}`]: () => ['application/octet-stream', execFileSync('python3', ['-c', writeWheel])],
    };
    const answer = await answers[pathname]?.();
    if (!answer) return void response.writeHead(404).end();
    const [type, body] = answer;
    response.writeHead(200, { 'content-type': type }).end(body);
  };
}
