import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Compared, diff } from './diff.js';

const none = { settings: {}, secrets: {} };

describe('the difference between two versions', () => {
  it('names each field that was added, removed or changed, those inside objects by their path', () => {
    const from = { settings: { name: 'a', configuration: { model: 'demo', memory: { enabled: true } } }, secrets: {} };
    const to = { settings: { name: 'b', configuration: { model: 'demo', allow: ['x'] } }, secrets: {} };
    expect(diff(from, to)).toEqual([
      { field: 'configuration.allow', change: 'added', from: null, to: ['x'], secret: null },
      { field: 'configuration.memory.enabled', change: 'removed', from: true, to: null, secret: null },
      { field: 'name', change: 'changed', from: 'a', to: 'b', secret: null },
    ]);
  });

  it('names an object that was empty by what is in it now, not as removed', () => {
    const empty = { settings: { configuration: {} }, secrets: {} };
    const filled = { settings: { configuration: { model: 'demo' } }, secrets: {} };
    const changed = (from: Compared, to: Compared) => diff(from, to).map(({ field, change }) => [field, change]);
    expect(changed(empty, filled)).toEqual([['configuration.model', 'added']]);
    expect(changed(filled, empty)).toEqual([['configuration.model', 'removed']]);
    expect(changed(none, empty)).toEqual([['configuration', 'added']]);
  });

  it('compares a secret by the version in which its value was set, and shows no value', () => {
    const settings = { configuration: { custom_env: { TOKEN: '***' } } };
    const at = (setIn: number) => ({ settings, secrets: { 'configuration.custom_env.TOKEN': setIn } });
    expect(diff(at(1), at(1))).toEqual([]);
    expect(diff(at(1), at(3))).toEqual([
      {
        field: 'configuration.custom_env.TOKEN',
        change: 'changed',
        from: null,
        to: null,
        secret: { from: 1, to: 3 },
      },
    ]);
    expect(diff(none, at(2))).toMatchObject([{ change: 'added', secret: { from: null, to: 2 } }]);
  });

  const value = fc.oneof(fc.integer(), fc.string(), fc.boolean(), fc.array(fc.integer(), { maxLength: 2 }));
  const settings = fc.dictionary(
    fc.constantFrom('a', 'b', '__proto__', 'constructor'),
    fc.oneof(value, fc.dictionary(fc.constantFrom('c', 'd', 'toString'), value, { maxKeys: 3 })),
  );
  const compared: fc.Arbitrary<Compared> = fc.record({
    settings,
    secrets: fc.dictionary(fc.constantFrom('s', 't'), fc.integer({ min: 1, max: 4 })),
  });

  it('is empty between a version and itself, and turned round the other way round', () => {
    fc.assert(
      fc.property(compared, compared, (one, other) => {
        expect(diff(one, one)).toEqual([]);
        const turned = diff(other, one).map(({ field, change, from, to, secret }) => ({
          field,
          change: change === 'changed' ? change : change === 'added' ? 'removed' : 'added',
          from: to,
          to: from,
          secret: secret && { from: secret.to, to: secret.from },
        }));
        expect(diff(one, other)).toEqual(turned);
      }),
    );
  });
});
