import { createServer, type Server, type ServerResponse } from 'node:http';
import { until } from '#lib/testing';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ConnectionState } from '../adapters/channel-adapter.js';
import { TelegramConnection } from './telegram-connection.js';

/** Answers as the Bot API's documentation describes: https://core.telegram.org/bots/api#making-requests. */
describe('a Telegram connection', () => {
  let server: Server;
  let url: string;
  let answer: (method: string, response: ServerResponse) => void;
  const asked: string[] = [];
  const states: ConnectionState[] = [];
  const open: TelegramConnection[] = [];

  const refuse = (response: ServerResponse, code: number, description: string, parameters?: object) =>
    response
      .writeHead(code, { 'content-type': 'application/json' })
      .end(JSON.stringify({ ok: false, error_code: code, description, parameters }));
  const connect = () => {
    const connection = new TelegramConnection(url, '1:token', {
      onMessage: () => Promise.resolve(),
      onState: (state) => states.push(state),
    });
    open.push(connection);
    return connection;
  };

  beforeEach(async () => {
    asked.length = 0;
    states.length = 0;
    server = createServer((request, response) => {
      const method = request.url?.split('/').at(-1) ?? '';
      asked.push(method);
      answer(method, response);
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const address = server.address();
    url = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`;
  });

  afterEach(async () => {
    for (const connection of open.splice(0)) await connection.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  it('reports that a revoked token failed, and asks no more', async () => {
    answer = (_, response) => refuse(response, 401, 'Unauthorized');
    connect();
    const state = await until('the state is known', () => states[0] ?? false);
    expect(state).toMatchObject({ health: 'failed', reason: expect.stringContaining('telegram_bot_token') });
    expect(asked).toEqual(['getMe']);
  });

  it('says that another program uses the bot, though each gets an answer now and then, and when it is gone', async () => {
    const now = vi.spyOn(performance, 'now');
    let polls = 0;
    let isOtherThere = true;
    answer = (method, response) => {
      const ok = (result: unknown) => response.end(JSON.stringify({ ok: true, result }));
      if (method === 'getMe') ok({ id: 1, username: 'bot' });
      else if (method !== 'getUpdates') ok(true);
      else if (isOtherThere && ++polls % 2 === 0)
        refuse(response, 409, 'Conflict: terminated by other getUpdates request');
      else ok([]);
    };
    connect();
    const failed = await until('it says so', () => states.find(({ health }) => health === 'failed') ?? false);
    expect(failed).toMatchObject({ reason: expect.stringMatching(/another program .*telegram_bot_token/) });
    // A takeover by a replica of ours is no news.
    expect(states.filter(({ health }) => health === 'connecting')).toHaveLength(2);
    isOtherThere = false;
    const told = states.length;
    const before = performance.now();
    now.mockImplementation(() => before + 121_000);
    await until('it is connected', () => states.slice(told).some(({ health }) => health === 'connected'));
    now.mockRestore();
  });

  it('sorts what becomes of a message: try again, refused, uncertain', async () => {
    let onSend: (response: ServerResponse) => void = () => undefined;
    answer = (method, response) =>
      method.startsWith('send') || method.startsWith('edit') ? onSend(response) : refuse(response, 500, 'down');
    const connection = connect();
    onSend = (response) => refuse(response, 429, 'Too Many Requests', { retry_after: 7 });
    await expect(connection.send('5', 'x')).rejects.toMatchObject({ outcome: 'retry', retryAfterMs: 7_000 });
    onSend = (response) => refuse(response, 403, 'Forbidden: bot was blocked by the user');
    await expect(connection.send('5', 'x')).rejects.toMatchObject({ outcome: 'failed' });
    onSend = (response) => refuse(response, 502, 'Bad Gateway');
    await expect(connection.send('5', 'x')).rejects.toMatchObject({ outcome: 'uncertain' });
    onSend = (response) => response.destroy();
    await expect(connection.send('5', 'x')).rejects.toMatchObject({ outcome: 'uncertain' });
    await expect(connection.edit('5', '1', 'x')).rejects.toMatchObject({ outcome: 'retry' });
    onSend = (response) => refuse(response, 400, 'Bad Request: message is not modified');
    await expect(connection.edit('5', '1', 'x')).resolves.toBeUndefined();
  });
});
