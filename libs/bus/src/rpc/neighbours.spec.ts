import { RoostError, request } from '#lib/contracts';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { currentCall, inCall, ownCall } from './call-context.js';
import { Neighbours } from './neighbours.js';
import type { Handler } from './reply.js';
import { requestNeighbour } from './request-neighbour.js';

const contract = request('shop.price.get', {
  input: z.strictObject({ sku: z.string() }),
  output: z.object({ cents: z.number() }),
  timeoutMs: 50,
});
type Price = Handler<(typeof contract)['input'], (typeof contract)['output']>;

const ask = (handle: Price) =>
  requestNeighbour(
    (input, context) => inCall(context, async () => handle(input as { sku: string }, context)),
    contract,
    { sku: 'a' },
    ownCall('req_1'),
  );

describe('a request to a service in the same process', () => {
  it('is carried out in its own context', async () => {
    const handle: Price = ({ sku }, context) => {
      expect(sku).toBe('a');
      expect(currentCall()).toBe(context);
      return { cents: 5 };
    };
    expect(await ask(handle)).toEqual({ cents: 5 });
  });

  it('gives the error it would give from afar', async () => {
    const refuse: Price = () => {
      throw new RoostError('NOT_FOUND', 'there is no such thing');
    };
    await expect(ask(refuse)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('ends by its time', async () => {
    await expect(ask(() => new Promise(() => undefined))).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
  });

  it('goes over the bus again once the neighbour has left', () => {
    const neighbours = new Neighbours();
    const leave = neighbours.serve(contract.subject, async () => undefined);
    expect(neighbours.find(contract.subject)).toBeDefined();
    leave();
    expect(neighbours.find(contract.subject)).toBeUndefined();
  });
});
