import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EgressService, EgressTokens } from './egress-service.js';

describe('the egress proxy of the cluster', () => {
  const tokens = new EgressTokens('a seed\n');
  const service = new EgressService({
    host: '127.0.0.1',
    port: 0,
    tokens,
    onConnection: (agentId, stream) => stream.end(`served ${agentId}`),
  });
  let port = 0;
  beforeAll(async () => {
    port = await service.listen();
  });
  afterAll(() => service.close());

  const ask = (login: string, target = 'proxy.roost.internal:3128') => {
    const socket = connect(port, '127.0.0.1');
    const authorization = `Basic ${Buffer.from(login).toString('base64')}`;
    socket.write(`CONNECT ${target} HTTP/1.1\r\nhost: ${target}\r\nproxy-authorization: ${authorization}\r\n\r\n`);
    return text(socket);
  };

  it('knows a workspace by its token, the same in every replica', async () => {
    const token = new EgressTokens('a seed').of('one');
    expect(await ask(`one:${token}`)).toBe('HTTP/1.1 200 Connection established\r\n\r\nserved one');
  });

  it('lets nobody in with a token of another agent, of another Roost, or none', async () => {
    const others = [`two:${tokens.of('one')}`, `one:${new EgressTokens('another').of('one')}`, 'one:', 'one', ''];
    for (const login of others) expect(await ask(login)).toContain('407 Proxy Authentication Required');
  });

  it('is no proxy of its own to other addresses', async () => {
    expect(await ask(`one:${tokens.of('one')}`, '127.1.2.3:80')).toContain('404 Not Found');
  });
});
