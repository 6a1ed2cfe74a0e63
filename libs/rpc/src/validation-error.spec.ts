import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { PARSE_CONTEXT } from '#lib/contracts';
import { validationError } from './validation-error.js';

describe('a validation error', () => {
  const complaint = (schema: z.ZodType, value: unknown) => {
    const parsed = schema.safeParse(value, PARSE_CONTEXT);
    if (parsed.success) throw new Error('the value is valid');
    return validationError(parsed.error);
  };

  it('distinguishes what is missing from what has the wrong type', () => {
    const schema = z.strictObject({ name: z.string(), tags: z.array(z.number()).optional() });
    expect(complaint(schema, {}).details).toMatchObject([{ field: 'name', reason: 'required' }]);
    expect(complaint(schema, { name: 5 }).details).toMatchObject([
      { field: 'name', reason: 'wrong_type', message: 'must be a string' },
    ]);
    expect(complaint(schema, { name: null }).details).toMatchObject([{ field: 'name', reason: 'wrong_type' }]);
    expect(complaint(schema, { name: 'a', tags: ['b'] }).details).toMatchObject([
      { field: 'tags.0', reason: 'wrong_type' },
    ]);
  });

  it('names one field in its message and counts the others, without any value', () => {
    const error = complaint(z.strictObject({ key: z.string().max(3) }), { key: 'secret', other: 1 });
    expect(error.message).toBe('key: must be at most 3 characters long (and 1 more)');
    expect(JSON.stringify(error.details)).not.toContain('secret');
  });
});
