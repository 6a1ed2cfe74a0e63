import { describe, expect, it } from 'vitest';
import { auditFilter, queryOf } from './audit-filter.js';

describe('the filter of the audit', () => {
  it('is read from an address; what is empty or no date is left out', () => {
    expect(auditFilter({ action: 'agent.created', actor: '', from: 'yesterday', to: '2026-11-29', else: 'x' })).toEqual(
      {
        action: 'agent.created',
        to: '2026-11-29',
      },
    );
  });

  it('holds the whole of its last day', () => {
    const { from, to } = queryOf({ from: '2026-11-29', to: '2026-11-29' });
    expect(from).toBe(new Date('2026-11-29T00:00').toISOString());
    expect(to).toBe(new Date('2026-11-30T00:00').toISOString());
  });
});
