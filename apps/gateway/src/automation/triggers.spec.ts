import { Bus } from '#lib/bus';
import { AgentId, type RequestContract, RoostError, testTrigger, wire } from '#lib/contracts';
import { serve } from '#lib/rpc';
import { parseExactJson } from '#lib/template';
import { type FreshBus, freshBus } from '#lib/testing';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { TriggersController } from './triggers.controller.js';

/** As a scheduler had it that knew no `payload_json`. */
const before = {
  ...testTrigger,
  input: wire({ agentId: AgentId, triggerId: z.uuid(), payload: z.json() }),
};

describe('a test of a trigger', () => {
  let nats: FreshBus;
  let bus: Bus;
  beforeAll(async () => {
    nats = await freshBus();
    bus = new Bus(await nats.connect(), 'tester');
  });
  afterAll(async () => {
    await bus.connection.close();
    nats.release();
  });

  const params = { id: randomUUID(), triggerId: randomUUID() };
  const fired = { messageId: `msg_${randomUUID()}`, executionId: randomUUID() };
  /** What a scheduler of this contract is asked, and what it answers to a test with this body. */
  const askedOf = async <I extends z.ZodType>(contract: RequestContract<I>, payload: string, answer: () => unknown) => {
    const asked: unknown[] = [];
    const take = (input: unknown) => {
      asked.push(input);
      return answer();
    };
    const service = serve(bus.connection, contract, contract.subject, take, () => undefined);
    const body = parseExactJson(payload) as z.output<typeof before.input>['payload'];
    const result: unknown = await new TriggersController(bus)
      .test(params, { payload: body })
      .catch((error: unknown) => error);
    await service.drain();
    return { asked, result };
  };
  const payload = '{"id":12345678901234567890,"n":[1e400,1.0]}';
  const key = { agentId: params.id, triggerId: params.triggerId };

  it('is asked for with the digits of the body', async () => {
    expect(await askedOf(testTrigger, payload, () => fired)).toEqual({
      asked: [{ ...key, payloadJson: payload }],
      result: fired,
    });
  });

  it('is asked for once where it is refused', async () => {
    const refused = new RoostError('VALIDATION_ERROR', 'empty', [{ field: 'payload', reason: 'unknown_field' }]);
    const { asked, result } = await askedOf(testTrigger, payload, () => {
      throw refused;
    });
    expect(asked).toHaveLength(1);
    expect(result).toMatchObject({ code: 'VALIDATION_ERROR', details: refused.details });
  });

  it('is made by a scheduler of an older version as that can', async () => {
    expect(await askedOf(before, '{"id":12345678901234567890,"n":1.0}', () => fired)).toEqual({
      asked: [{ ...key, payload: { id: 12_345_678_901_234_567_000, n: 1 } }],
      result: fired,
    });
    expect(await askedOf(before, '1e400', () => fired)).toMatchObject({
      asked: [],
      result: { code: 'VALIDATION_ERROR' },
    });
  });
});
