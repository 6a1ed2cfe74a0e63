import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { changeOf, fieldsOf, type Settings, withChange } from './settings.js';

const text = fc.constantFrom('a', 'b', 'c');
const settings: fc.Arbitrary<Settings> = fc.record({
  name: text,
  description: fc.option(text),
  configuration: fc.record(
    {
      model: text,
      timeout_seconds: fc.integer({ min: 1, max: 3 }),
      compaction: fc.record({ enabled: fc.boolean(), model: text }, { requiredKeys: [] }),
      network: fc.record({ mode: text, allow: fc.array(text, { maxLength: 2 }) }, { requiredKeys: ['mode'] }),
      custom_env: fc.dictionary(text, text),
    },
    { requiredKeys: [] },
  ),
});

describe('what is sent of an edited configuration', () => {
  it('is what differs, field by field where the API merges, and whole where it replaces', () => {
    const before = {
      name: 'a',
      configuration: { compaction: { enabled: true, model: 'm' }, network: { mode: 'none' }, model: 'm' },
    };
    const after = { name: 'a', configuration: { compaction: { enabled: false }, network: { mode: 'public' } } };
    expect(changeOf(before, after)).toEqual({
      configuration: { compaction: { enabled: false, model: null }, network: { mode: 'public' }, model: null },
    });
    expect(changeOf(before, before)).toEqual({});
  });

  it('makes of the one what the other is', () => {
    fc.assert(
      fc.property(settings, settings, (from, to) => {
        expect(withChange(from, changeOf(from, to))).toEqual(to);
        expect(changeOf(from, structuredClone(from))).toEqual({});
      }),
    );
  });

  it('leaves what somebody else changed meanwhile, where it says nothing of it', () => {
    const [base, mine] = [
      { name: 'a', configuration: {} },
      { name: 'a', configuration: { model: 'm' } },
    ];
    const theirs = { name: 'theirs', configuration: { compaction: { enabled: false } } };
    expect(withChange(theirs, changeOf(base, mine))).toEqual({
      name: 'theirs',
      configuration: { compaction: { enabled: false }, model: 'm' },
    });
  });

  it('is named as a comparison of versions names it', () => {
    const change = {
      name: 'b',
      configuration: { model: null, compaction: { enabled: true }, network: { mode: 'none' } },
    };
    expect(fieldsOf(change)).toEqual([
      'name',
      'configuration.model',
      'configuration.compaction.enabled',
      'configuration.network',
    ]);
  });
});
