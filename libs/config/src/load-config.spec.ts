import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { printConfig, secret } from './load-config.js';

describe('what --print-config shows', () => {
  const wrapped = {
    PLAIN: secret(z.string()),
    OPTIONAL: secret(z.string()).optional(),
    NULLABLE: secret(z.string()).nullable(),
    DEFAULTED: secret(z.string()).default('x'),
    CHANGED: secret(z.string()).transform((value) => value.length),
    CHECKED: z.string().pipe(z.string()),
    MARKED: secret(z.string().optional()),
    TWICE: secret(z.string()).optional().default('x'),
  };
  const { CHECKED, ...secrets } = wrapped;

  it.each(Object.keys(secrets))('masks a secret however its schema is wrapped: %s', (name) => {
    const shown = printConfig(z.object({ ...secrets, CHECKED }), { [name]: 'canary' });
    expect(shown).toContain(`${name}=***`);
    expect(shown).not.toContain('canary');
  });

  it('shows what is none', () => {
    expect(printConfig(z.object({ CHECKED }), { CHECKED: 'plain' })).toBe('CHECKED="plain"');
  });
});
