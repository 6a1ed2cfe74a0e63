import { ownCall } from '#lib/call-context';
import { Bytes, request, wire } from '#lib/contracts';
import { freshBus } from '#lib/testing';
import { headers, type NatsConnection } from '@nats-io/transport-node';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { requestOverNats } from './client.js';
import { serve } from './server.js';
import { ERROR_HEADER } from './wire.js';

const shape = { fileName: z.string(), content: Bytes, isLast: z.boolean() };
const turnOver = request('body.bytes.turn-over', { input: wire(shape), output: wire(shape) });

describe('bytes in a request and its answer', () => {
  let nats: Awaited<ReturnType<typeof freshBus>>;
  let connections: [NatsConnection, NatsConnection];
  let send: (input: z.output<typeof turnOver.input>) => Promise<z.output<typeof turnOver.output>>;

  beforeAll(async () => {
    nats = await freshBus();
    const [caller, server] = (connections = [await nats.connect(), await nats.connect()]);
    const refuse = (error: unknown) => {
      throw error;
    };
    const answer = (input: z.output<typeof turnOver.input>) => ({ ...input, content: input.content.toReversed() });
    serve(server, turnOver, turnOver.subject, answer, refuse);
    await server.flush();
    send = (input) => requestOverNats(caller, turnOver, input, ownCall('req_bytes'));
  });

  afterAll(async () => {
    await Promise.all(connections.map((connection) => connection.close()));
    nats.release();
  });

  it('arrive as they were, beside the other fields', async () => {
    const sent = fc.record({
      fileName: fc.string({ unit: 'grapheme' }),
      content: fc.uint8Array({ maxLength: 2_000 }),
      isLast: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(sent, async (input) => {
        const { content, ...others } = await send(input);
        expect(others).toEqual({ fileName: input.fileName, isLast: input.isLast });
        expect(Buffer.from(content).equals(Buffer.from(input.content.toReversed()))).toBe(true);
      }),
    );
  });

  it('are not text: that is refused as in any other field', async () => {
    const text = JSON.stringify({ file_name: 'f', content: 'text', is_last: true });
    const answer = await connections[0].request(turnOver.subject, text, { timeout: 20_000 });
    expect(answer.headers?.get(ERROR_HEADER)).toBe('VALIDATION_ERROR');
    expect(answer.json()).toMatchObject({ details: [{ field: 'content' }] });
  });
});

describe('a request of a client that is not ours', () => {
  it.each([
    ['roost-actor', '%'],
    ['roost-actor', '%E0%A4%A'],
    ['roost-actor', 'nobody'],
    ['roost-actor', 'x'.repeat(5_000)],
    ['roost-deadline', 'soon'],
    ['roost-deadline', '-1'],
    ['roost-deadline', '1e400'],
    ['roost-account', ' '],
    ['roost-bytes', '__proto__'],
    ['traceparent', '\u00ff'],
  ])('is answered whatever its headers hold: %s (%#)', async (name, value) => {
    const bus = await freshBus();
    const connection = await bus.connect();
    const asked = request('odd.headers', { input: wire({ a: z.string().optional() }), output: wire({}) });
    serve(
      connection,
      asked,
      asked.subject,
      () => ({}),
      () => undefined,
    );
    const odd = headers();
    odd.set(name, value);
    expect(await connection.request(asked.subject, '{}', { headers: odd, timeout: 20_000 })).toBeDefined();
    await connection.close();
    bus.release();
  });
});
