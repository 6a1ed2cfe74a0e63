import { createServer } from 'node:net';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { readOptions } from './options.js';
import { assertPortIsFree, freePort } from './ports.js';

describe('the command line', () => {
  it('has the defaults of the README', () => {
    const options = readOptions([]);
    expect(options).toMatchObject({ port: 3000, host: '127.0.0.1', separateProcesses: false });
    expect(options.dataDir).toMatch(/^\/.*\/\.roost$/);
  });

  it('takes more processes of a service, and then one for each of the others', () => {
    const options = readOptions(['--replicas', 'agent-runtime=2', '--replicas', 'messaging=3']);
    expect(options).toMatchObject({ separateProcesses: true, replicas: { 'agent-runtime': 2, messaging: 3 } });
  });

  it.each([
    ['--replicas', 'gateway=2'],
    ['--replicas', 'messaging'],
    ['--replicas', 'messaging=0'],
    ['--port', 'x'],
    ['--port', '70000'],
    ['--port', '-1'],
    ['--prot', '1'],
    ['stray'],
  ])('refuses %s %s in one line', (...args) => {
    expect(() => readOptions(args.filter(Boolean))).toThrow(/^[^\n]+$/);
  });
});

describe('the port check', () => {
  it('names a port that is in use', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    await expect(assertPortIsFree(port, '127.0.0.1')).rejects.toThrow(`Port ${port} on 127.0.0.1 is in use`);
    server.close();
  });

  it('accepts a free one', async () => {
    await expect(assertPortIsFree(await freePort(), '127.0.0.1')).resolves.toBeUndefined();
  });
});
