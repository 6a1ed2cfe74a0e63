import { RoostError } from '#lib/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fieldsWithin } from './fields-within.js';
import { planByName, type Present } from './plan-by-name.js';

interface Thing {
  text: string;
  enabled: boolean;
}
const KIND = { what: 'thing', path: 'things', defaults: { enabled: true }, required: ['text'] as const };
const there = (id: string, name: string, fields: Partial<Thing> = {}): Present<Thing> => ({
  id,
  name,
  fields: { text: 'a', enabled: true, ...fields },
});
const plan = (present: Present<Thing>[], wanted: Record<string, Partial<Thing>>, prune = false) =>
  planByName<Thing>(KIND, present, wanted, prune).map(({ name, id, action, differing }) => [
    name,
    id,
    action,
    ...differing,
  ]);

describe('a plan by names', () => {
  it('makes what is not there, changes what differs, and leaves alone what is so or is not named', () => {
    const present = [there('1', 'same'), there('2', 'other'), there('3', 'unnamed')];
    const wanted = { same: { text: 'a' }, other: { text: 'b' }, fresh: { text: 'c' } };
    expect(plan(present, wanted)).toEqual([
      ['same', '1', 'none'],
      ['other', '2', 'update', 'text'],
      ['fresh', null, 'create', 'enabled', 'text'],
    ]);
  });

  it('with prune gives fields their defaults and takes away what is not named', () => {
    const present = [there('1', 'off', { enabled: false }), there('2', 'unnamed'), there('3', 'unnamed')];
    expect(plan(present, { off: {} })).toEqual([['off', '1', 'none']]);
    expect(plan(present, { off: {} }, true)).toEqual([
      ['off', '1', 'update', 'enabled'],
      ['unnamed', '2', 'delete', 'enabled', 'text'],
      ['unnamed', '3', 'delete', 'enabled', 'text'],
    ]);
  });

  it('refuses a name that several have, with their ids, and a new thing without what it needs', () => {
    expect(() => plan([there('1', 'x'), there('2', 'x')], { x: {} })).toThrow(/several things are called "x" \(1, 2\)/);
    expect(() => plan([], { x: { enabled: true } })).toThrow('things.x.text: is required of a new thing');
  });

  it('has nothing to do once it was carried out, whatever there was and is wanted', () => {
    const fields = fc.record({ text: fc.string(), enabled: fc.boolean() });
    const names = fc.constantFrom('a', 'b', 'c', 'constructor');
    fc.assert(
      fc.property(fc.dictionary(names, fields), fc.dictionary(names, fields), fc.boolean(), (before, wanted, prune) => {
        const present = Object.entries(before).map(([name, of], at) => there(String(at), name, of));
        const after = planByName<Thing>(KIND, present, wanted, prune)
          .filter(({ action }) => action !== 'delete')
          .map(({ name, id, fields: of }) => there(id ?? `new ${name}`, name, of));
        const again = planByName<Thing>(KIND, after, wanted, prune);
        expect(again.filter(({ action }) => action !== 'none')).toEqual([]);
      }),
    );
  });
});

describe('fields within a document', () => {
  it('are named by where they are in it', async () => {
    const refused = new RoostError('VALIDATION_ERROR', 'cron: is odd', [{ field: 'cron', reason: 'invalid' }]);
    const named = fieldsWithin('agents.a', () => Promise.reject(refused));
    await expect(named).rejects.toMatchObject({
      message: 'agents.a.cron: is odd',
      details: [{ field: 'agents.a.cron', reason: 'invalid' }],
    });
    const quota = new RoostError('QUOTA_EXCEEDED', 'too many');
    await expect(fieldsWithin('agents.a', () => Promise.reject(quota))).rejects.toBe(quota);
  });
});
