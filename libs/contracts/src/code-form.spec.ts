import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { codeFormOf } from './code-form.js';
import { Timestamp, wire } from './wire.js';

const Line = wire({ unitPrice: z.number().min(0), addedAt: Timestamp });
const Order = wire({
  orderId: z.uuid(),
  firstLine: Line,
  moreLines: z.array(Line).max(2).default([]),
  byShop: z.record(z.string(), Line.nullable()).optional(),
  payment: z.union([wire({ cardNumber: z.string() }), wire({ paidInCash: z.literal(true) })]).optional(),
}).refine(({ firstLine }) => firstLine.unitPrice !== 13, 'no order begins with 13');

const line = { unitPrice: 1, addedAt: new Date(0) };
const order = {
  orderId: '01935a7e-3c1b-7f00-8a4e-5b6c7d8e9f00',
  firstLine: line,
  moreLines: [line],
  byShop: { one_shop: line, other: null },
  payment: { paidInCash: true as const },
};
const refusal = (value: unknown) => codeFormOf(Order).safeParse(value).error?.issues[0];

describe('the form of a contract in code', () => {
  it('lets through what the wire form gives', () => {
    const sent = Order.parse(JSON.parse(JSON.stringify(z.encode(Order, order))));
    expect(codeFormOf(Order).parse(sent)).toEqual(order);
  });

  it('drops at every level what the contract does not name, so that a row leaks no column', () => {
    const wide = { ...order, secret: 1, firstLine: { ...line, secret: 1 }, moreLines: [{ ...line, secret: 1 }] };
    expect(codeFormOf(Order).parse(wide)).toEqual(order);
  });

  it('fills in what may be left out', () => {
    expect(codeFormOf(Order).parse({ orderId: order.orderId, firstLine: line })).toMatchObject({ moreLines: [] });
  });

  it('makes the checks of every level', () => {
    expect(refusal({ ...order, orderId: 'x' })).toMatchObject({ path: ['orderId'] });
    expect(refusal({ ...order, firstLine: { ...line, unitPrice: -1 } })).toMatchObject({
      path: ['firstLine', 'unitPrice'],
    });
    expect(refusal({ ...order, moreLines: [line, line, line] })).toMatchObject({ code: 'too_big' });
    expect(refusal({ ...order, byShop: { one: { ...line, addedAt: 'today' } } })).toMatchObject({
      path: ['byShop', 'one', 'addedAt'],
    });
    expect(refusal({ ...order, firstLine: { ...line, unitPrice: 13 } })).toMatchObject({ code: 'custom' });
  });

  it('is made once', () => {
    expect(codeFormOf(Order)).toBe(codeFormOf(Order));
  });
});
