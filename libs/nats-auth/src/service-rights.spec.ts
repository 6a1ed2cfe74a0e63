import { describe, expect, it } from 'vitest';
import { serviceRights, type ServiceName, type ServiceRights } from './service-rights.js';
import { patternOf } from './subject-groups.js';
import { busUsesOf } from './testing/bus-uses.js';

const names = Object.keys(serviceRights) as ServiceName[];

/** What the sources use and the table does not name, and the other way round, as a sentence each. */
function differences(service: string, field: string, used: Iterable<string>, listed: string[]): string[] {
  const isUsed = new Set(used);
  const isListed = new Set(listed);
  return [
    ...[...isUsed]
      .filter((subject) => !isListed.has(subject))
      .map((subject) => `${service} uses ${subject}: add it to \`${field}\` of '${service}' in service-rights.ts`),
    ...[...isListed]
      .filter((subject) => !isUsed.has(subject))
      .map(
        (subject) =>
          `${service} no longer uses ${subject}: take it out of \`${field}\` of '${service}' in service-rights.ts, and if a released version publishes to it put it under \`leaving\` until the next`,
      ),
  ];
}

describe.each(names)('the rights of %s', (service) => {
  const rights: ServiceRights = serviceRights[service];
  const uses = busUsesOf(service);
  const isOwn = (subject: string) => rights.owns.includes(subject.split('.')[0] ?? '');

  it('name what its sources ask of others, and nothing more', () => {
    expect(differences(service, 'calls', uses.calls, rights.calls.map(patternOf))).toEqual([]);
  });

  it('name the events that it consumes, and nothing more', () => {
    expect(differences(service, 'reads', uses.reads, rights.reads.map(patternOf))).toEqual([]);
  });

  it('name the hints that it publishes and subscribes to, and nothing more', () => {
    expect(differences(service, 'signals', uses.publishes, rights.signals)).toEqual([]);
    const subscribed = [...uses.subscribes].filter((subject) => !isOwn(subject));
    expect(differences(service, 'subscribes', subscribed, rights.subscribes)).toEqual([]);
  });

  it('let it serve what it serves', () => {
    const served = [...uses.serves].filter((subject) => !isOwn(subject));
    expect(differences(service, 'serves', served, (rights.serves ?? []).map(patternOf))).toEqual([]);
  });

  it('let it publish its own events alone', () => {
    const foreign = [...uses.emits].filter((subject) => !isOwn(subject.replace(/^events\./, '')));
    expect(foreign, 'events are named by the service that owns them').toEqual([]);
  });
});

it('no subject has two owners', () => {
  const owned = names.flatMap((service) => serviceRights[service].owns);
  expect(new Set(owned).size).toBe(owned.length);
});
