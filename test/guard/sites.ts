import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join, normalize } from 'node:path';
import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';
import { ZipFile } from 'yazl';
import type { Site, Sites } from '../closed-network/internet.js';

/** Hosts of the closed network and where they live; `inside` is what nobody may reach. */
export const hosts = {
  web: ['www.closed-sites.org', '34.120.1.1'],
  npm: ['npm.closed-sites.org', '45.33.32.156'],
  pip: ['pip.closed-sites.org', '130.89.148.77'],
  git: ['git.closed-sites.org', '140.82.112.3'],
  inside: ['inside.closed-sites.org', '10.0.0.1'],
} as const;

/** Folder with the bare repository `greeting.git`; set by the suite. */
const folder = process.env.ROOST_CLOSED_SITES ?? '';

const web: Site = (request, response) => {
  request.resume().on('end', () => response.end(`${request.method} ${request.url} at ${request.headers.host}\n`));
};

/** A package registry with `greeting`, a library with a command, and `greeting-mcp`, an MCP server on stdio. */
const npm: Site = (request, response) => {
  const [, name = '', , file] = (request.url ?? '').split('/');
  const found = npmPackages[decodeURIComponent(name)];
  if (!found) return void response.writeHead(404, { 'content-type': 'application/json' }).end('{}');
  found.then((tarball) => {
    if (file) return void response.writeHead(200, { 'content-type': 'application/octet-stream' }).end(tarball);
    const version = {
      ...manifest(name),
      dist: {
        tarball: `https://${hosts.npm[0]}/${name}/-/${name}-1.0.0.tgz`,
        integrity: `sha512-${createHash('sha512').update(tarball).digest('base64')}`,
      },
    };
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ name, 'dist-tags': { latest: '1.0.0' }, versions: { '1.0.0': version } }));
  }, fail(response));
};

const manifest = (name: string) => ({ name, version: '1.0.0', bin: { [name]: 'bin.js' }, main: 'index.js' });

const mcpServer = `#!/usr/bin/env node
require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, method, params } = JSON.parse(line);
  if (method === 'initialize') console.log(JSON.stringify({ jsonrpc: '2.0', id, result: {
    protocolVersion: params.protocolVersion, capabilities: {}, serverInfo: { name: 'greeting-mcp', version: '1.0.0' } } }));
});
`;

const npmPackages: Record<string, Promise<Buffer>> = {
  greeting: tarball({
    'package.json': JSON.stringify(manifest('greeting')),
    'index.js': "module.exports = 'hello from npm';\n",
    'bin.js': "#!/usr/bin/env node\nconsole.log('hello from npx');\n",
  }),
  'greeting-mcp': tarball({ 'package.json': JSON.stringify(manifest('greeting-mcp')), 'bin.js': mcpServer }),
};

/** A simple index (PEP 503) with the wheel `greeting`. */
const pip: Site = (request, response) => {
  if (request.url === '/simple/greeting/')
    return void response
      .writeHead(200, { 'content-type': 'text/html' })
      .end(`<!DOCTYPE html><a href="/wheels/${wheelName}">${wheelName}</a>`);
  if (request.url !== `/wheels/${wheelName}`) return void response.writeHead(404).end();
  wheel().then((bytes) => response.writeHead(200, { 'content-type': 'application/zip' }).end(bytes), fail(response));
};

const wheelName = 'greeting-1.0.0-py3-none-any.whl';

/** A repository by git's dumb protocol: files as they lie. */
const git: Site = (request, response) => {
  const path = normalize(new URL(request.url ?? '/', 'https://git').pathname);
  try {
    const content = readFileSync(join(folder, path));
    response.writeHead(200).end(content);
  } catch {
    response.writeHead(404).end();
  }
};

export const sites: Sites = {
  [hosts.web[0]]: web,
  [hosts.npm[0]]: npm,
  [hosts.pip[0]]: pip,
  [hosts.git[0]]: git,
};

async function tarball(files: Record<string, string>): Promise<Buffer> {
  const archive = pack();
  for (const [name, content] of Object.entries(files)) archive.entry({ name: `package/${name}`, mode: 0o755 }, content);
  archive.finalize();
  return gzipSync(await bytesOf(archive));
}

function wheel(): Promise<Buffer> {
  const zip = new ZipFile();
  const add = (name: string, text: string) => zip.addBuffer(Buffer.from(text), name);
  add('greeting/__init__.py', "text = 'hello from pip'\n");
  add('greeting-1.0.0.dist-info/METADATA', 'Metadata-Version: 2.1\nName: greeting\nVersion: 1.0.0\n');
  add(
    'greeting-1.0.0.dist-info/WHEEL',
    'Wheel-Version: 1.0\nGenerator: roost\nRoot-Is-Purelib: true\nTag: py3-none-any\n',
  );
  add(
    'greeting-1.0.0.dist-info/RECORD',
    'greeting/__init__.py,,\ngreeting-1.0.0.dist-info/METADATA,,\ngreeting-1.0.0.dist-info/WHEEL,,\ngreeting-1.0.0.dist-info/RECORD,,\n',
  );
  zip.end();
  return bytesOf(zip.outputStream as AsyncIterable<unknown>);
}

async function bytesOf(stream: AsyncIterable<unknown>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function fail(response: { destroy(error: Error): void }): (error: unknown) => void {
  return (error) => response.destroy(error instanceof Error ? error : new Error(String(error)));
}
