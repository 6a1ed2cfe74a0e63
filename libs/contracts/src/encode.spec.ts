import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { encode } from './encode.js';
import { JsonObject, Timestamp, wire } from './wire.js';

const Line = wire({ unitPrice: z.number().min(0), addedAt: Timestamp.nullable() });
const Order = wire({
  orderId: z.string().min(1),
  firstLine: Line,
  moreLines: z.array(Line).max(3).default([]),
  byShop: z.record(z.string(), Line).optional(),
  paidWith: z.union([wire({ cardNumber: z.string() }), wire({ paidAt: Timestamp })]).optional(),
  asPlain: z.object({ sent_at: Timestamp, n: z.number() }).optional(),
  metaData: JsonObject,
});

const line = fc.record({
  unitPrice: fc.nat(),
  addedAt: fc.option(fc.date({ min: new Date(0), max: new Date('2100-01-01'), noInvalidDate: true })),
});
const order = fc.record(
  {
    orderId: fc.string({ minLength: 1 }),
    firstLine: line,
    moreLines: fc.array(line, { maxLength: 3 }),
    byShop: fc.dictionary(fc.string(), line),
    paidWith: fc.oneof(fc.record({ cardNumber: fc.string() }), fc.record({ paidAt: fc.constant(new Date(5)) })),
    asPlain: fc.record({ sent_at: fc.constant(new Date(7)), n: fc.nat() }),
    metaData: fc.dictionary(fc.string(), fc.jsonValue()) as fc.Arbitrary<z.output<typeof JsonObject>>,
    notInTheContract: fc.string(),
  },
  { requiredKeys: ['orderId', 'firstLine', 'moreLines', 'metaData'] },
);

describe('the form of the wire', () => {
  it('is what zod gives', () => {
    fc.assert(
      fc.property(order, (value) => {
        expect(encode(Order, value)).toEqual(z.encode(Order, value));
      }),
    );
  });

  it('is refused to what does not fit', () => {
    const broken = { orderId: '', firstLine: { unitPrice: -1, addedAt: null }, moreLines: [], metaData: {} };
    expect(() => encode(Order, broken)).toThrow(z.ZodError);
  });
});
