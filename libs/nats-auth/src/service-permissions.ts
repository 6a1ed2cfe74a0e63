import type { Permissions } from '@nats-io/jwt';
import * as contracts from '#lib/contracts';
import { EVENTS_STREAM, type RequestContract, STREAM_GAP } from '#lib/contracts';
import { adminCalls, type ServiceName, type ServiceRights, serviceRights } from './service-rights.js';
import { commonSubject, covers, everyRequest, inGroups, patternOf } from './subject-groups.js';

/**
 * Where services of the version before receive their answers: they know no prefix of their own. Nothing of this version
 * uses it; it goes with the release after the first.
 */
const INBOX_OF_THE_VERSION_BEFORE = '_INBOX.>';

/** Where this user receives the answers to its requests (`inboxPrefix` of the NATS client). Replicas share it. */
export function serviceInboxPrefix(serviceName: string): string {
  return `_INBOX_${serviceName}`;
}

/**
 * The permissions of a service's user in nats-server, and nothing else. The durable consumer is its own only: others'
 * can neither be read nor acknowledged, and its filter cannot be wider than the events that the service reads.
 * Errors: TypeError when there is no such service.
 */
export function servicePermissions(serviceName: string): Permissions {
  if (!Object.hasOwn(serviceRights, serviceName))
    throw new TypeError(`no service ${JSON.stringify(serviceName)}: list what it may do in service-rights.ts`);
  const rights: ServiceRights = serviceRights[serviceName as ServiceName];
  const owned = rights.owns.map((token) => `${token}.>`);
  const calls = inGroups(rights.calls.map(patternOf));
  const serves = (rights.serves ?? []).map(patternOf);
  return {
    pub: {
      allow: [
        ...calls,
        ...rights.signals,
        ...(rights.leaving ?? []),
        ...eventsOf(rights),
        ...answersTo(serviceName, rights),
        ...streamRights(serviceName, rights),
      ],
    },
    sub: {
      allow: [
        ...[...owned, contracts.healthCheck(serviceName).subject, ...serves, ...rights.subscribes],
        ...[`${serviceInboxPrefix(serviceName)}.>`, INBOX_OF_THE_VERSION_BEFORE],
      ],
    },
  };
}

/** What the operator's commands may do: ask the gateway. */
export function adminPermissions(): Permissions {
  return {
    pub: { allow: inGroups(adminCalls.map(patternOf)) },
    sub: { allow: [`${serviceInboxPrefix('admin')}.>`] },
  };
}

/**
 * Where those who send requests to this service receive its answers, its own replicas among them. `allow_responses`, which would let it
 * answer what it was asked and no more, costs too much: up to version 2.10 the server looks through all replies that
 * it has in mind, at every message, once there are 4,096 of them, and each event that a service reads adds one.
 */
function answersTo(serviceName: string, rights: ServiceRights): string[] {
  const served = [
    contracts.healthCheck(serviceName),
    ...(rights.serves ?? []),
    ...everyRequest.filter(isOwnedBy(rights)),
  ];
  const asks = (calls: RequestContract[]) =>
    calls.some((call) => served.some((one) => covers(patternOf(call), patternOf(one))));
  const names = Object.keys(serviceRights) as ServiceName[];
  const callers = names.filter((name) => name === serviceName || asks(serviceRights[name].calls));
  return [
    ...[...callers, ...(asks(adminCalls) ? ['admin'] : [])].map((name) => `${serviceInboxPrefix(name)}.>`),
    INBOX_OF_THE_VERSION_BEFORE,
  ];
}

const isOwnedBy =
  ({ owns }: ServiceRights) =>
  ({ subject }: { subject: string }) =>
    owns.some((token) => subject.startsWith(`${token}.`));

/** Of a service's own events all: the outbox may hold one that only the version before knew. */
function eventsOf({ owns }: ServiceRights): string[] {
  const everyEvent = Object.values(contracts as Record<string, unknown>).map(
    (value) => (value as { subject?: unknown }).subject,
  );
  return owns
    .map((token) => `events.${token}.`)
    .filter((prefix) => everyEvent.some((subject) => typeof subject === 'string' && subject.startsWith(prefix)))
    .map((prefix) => `${prefix}>`);
}

/** Every service declares the stream and fills its gap, since whichever is first after a loss does so. */
function streamRights(serviceName: string, { reads }: ServiceRights): string[] {
  const stream = [
    ...[`$JS.API.STREAM.INFO.${EVENTS_STREAM}`, `$JS.API.STREAM.CREATE.${EVENTS_STREAM}`],
    ...[`$JS.API.CONSUMER.LIST.${EVENTS_STREAM}`, STREAM_GAP],
  ];
  if (reads.length === 0) return stream;
  const own = `${EVENTS_STREAM}.${serviceName}`;
  return [
    ...stream,
    `$JS.API.CONSUMER.CREATE.${own}.${commonSubject(reads.map(({ subject }) => subject))}`,
    `$JS.API.CONSUMER.INFO.${own}`,
    `$JS.API.CONSUMER.DELETE.${own}`,
    `$JS.API.CONSUMER.MSG.NEXT.${own}`,
    `$JS.ACK.${own}.>`,
    // As servers write it that name the domain and the account before the stream.
    `$JS.ACK.*.*.${own}.>`,
  ];
}
