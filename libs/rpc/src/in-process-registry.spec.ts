import { currentCall, inCall, ownCall } from '#lib/call-context';
import { RoostError, request } from '#lib/contracts';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { InProcessRegistry, requestInProcess } from './in-process-registry.js';
import type { Handler } from './server.js';

const contract = request('shop.price.get', {
  input: z.strictObject({ sku: z.string() }),
  output: z.object({ cents: z.number() }),
  timeoutMs: 50,
});
type Price = Handler<(typeof contract)['input'], (typeof contract)['output']>;

const ask = (handle: Price) =>
  requestInProcess(
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

  it('goes over NATS again once the service has left', () => {
    const registry = new InProcessRegistry();
    const leave = registry.serve(contract.subject, async () => undefined);
    expect(registry.find(contract.subject)).toBeDefined();
    leave();
    expect(registry.find(contract.subject)).toBeUndefined();
  });
});
