import { randomUUID } from 'node:crypto';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { KubernetesDouble } from './api-server.js';
import type { Stored } from './objects.js';

interface Answer {
  status: number;
  body: unknown;
}

const core = '/api/v1/namespaces/roost';
const claims = `${core}/persistentvolumeclaims`;
const secrets = `${core}/secrets`;
const sets = '/apis/apps/v1/namespaces/roost/statefulsets';

const failure = (code: number, reason: string | undefined, message: unknown, details?: unknown) => ({
  kind: 'Status',
  apiVersion: 'v1',
  metadata: {},
  status: 'Failure',
  message,
  ...(reason && { reason }),
  ...(details ? { details } : {}),
  code,
});
const containing = (text: string) => expect.stringContaining(text) as string;

const secretNamed = (name: string, more: object = {}) => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name, namespace: 'roost', labels: { app: 'a' } },
  data: { a: 'YQ==' },
  ...more,
});
const claimNamed = (name: string, storage: string, spec: object = {}) => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { name, namespace: 'roost' },
  spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage } }, ...spec },
});
const setNamed = (name: string, { pod = {}, ...spec }: { pod?: object; [field: string]: unknown } = {}) => ({
  apiVersion: 'apps/v1',
  kind: 'StatefulSet',
  metadata: { name, namespace: 'roost' },
  spec: {
    serviceName: name,
    replicas: 0,
    selector: { matchLabels: { app: name } },
    template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: 'main', image: 'a' }], ...pod } },
    ...spec,
  },
});

/**
 * The double is held to what real API servers were seen to answer, in issues of Kubernetes and of its clients that quote the
 * whole answer, and to https://kubernetes.io/docs/reference/using-api/api-concepts/ where no source is named.
 */
describe('the double of the Kubernetes API', () => {
  let double: KubernetesDouble;
  beforeEach(async () => {
    const start = () => ({ ended: new Promise<never>(() => undefined), stop: () => undefined });
    double = new KubernetesDouble({ start, bookmarkMs: 20 });
    await double.listen();
  });
  afterEach(async () => {
    await double.hangUp();
    double.controllers.close();
  });

  const ask = async (method: string, path: string, body?: object, type = 'application/apply-patch+yaml') => {
    const response = await fetch(double.url + path, {
      method,
      ...(body ? { body: JSON.stringify(body), headers: { 'content-type': type } } : {}),
    });
    const text = await response.text();
    return { status: response.status, body: text.startsWith('{') ? (JSON.parse(text) as Stored) : text };
  };
  const apply = (path: string, object: { metadata: { name: string } }, query = 'fieldManager=test&force=true') =>
    ask('PATCH', `${path}/${object.metadata.name}?${query}`, object);
  const merge = (path: string, object: object) => ask('PATCH', path, object, 'application/merge-patch+json');
  const bound = async (name: string, storage: string, spec: object = {}) => {
    await apply(claims, claimNamed(name, storage, spec));
    await expect
      .poll(() => double.store.find('persistentvolumeclaims', 'roost', name)?.status?.['phase'])
      .toBe('Bound');
  };

  const missing = (name: string, group: string | undefined, kind: string) =>
    failure(404, 'NotFound', `${group ? `${kind}.${group}` : kind} "${name}" not found`, {
      name,
      ...(group && { group }),
      kind,
    });

  const cases: [name: string, act: () => Promise<Answer>, expected: Answer][] = [
    [
      'reads nothing that is not there',
      () => ask('GET', `${sets}/no`),
      { status: 404, body: missing('no', 'apps', 'statefulsets') },
    ],
    [
      'deletes nothing that is not there',
      () => ask('DELETE', `${claims}/no`),
      { status: 404, body: missing('no', undefined, 'persistentvolumeclaims') },
    ],
    [
      'merges into nothing that is not there',
      () => merge(`${secrets}/no`, {}),
      { status: 404, body: missing('no', undefined, 'secrets') },
    ],
    [
      'serves no other kinds',
      () => ask('GET', '/apis/batch/v1/namespaces/roost/jobs'),
      { status: 404, body: '404 page not found\n' },
    ],
    [
      'creates by applying',
      () => apply(secrets, secretNamed('a')),
      { status: 201, body: expect.objectContaining({ kind: 'Secret' }) },
    ],
    [
      'changes by applying',
      async () => {
        await apply(secrets, secretNamed('a'));
        return apply(secrets, secretNamed('a', { data: { b: 'Yg==' } }));
      },
      { status: 200, body: expect.objectContaining({ data: { b: 'Yg==' } }) },
    ],
    [
      'applies for nobody without a name',
      () => apply(secrets, secretNamed('a'), ''),
      {
        status: 422,
        body: failure(
          422,
          'Invalid',
          'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
          expect.objectContaining({ group: 'meta.k8s.io', kind: 'PatchOptions' }),
        ),
      },
    ],
    [
      // https://github.com/kubernetes/kubernetes/issues/122480: neither a 4xx nor a reason.
      'fails where a field is misspelt',
      () => apply(sets, setNamed('a', { replcas: 1 })),
      {
        status: 500,
        body: failure(
          500,
          undefined,
          'failed to create typed patch object (roost/a; apps/v1, Kind=StatefulSet): .spec.replcas: field not declared in schema',
        ),
      },
    ],
    [
      // https://github.com/defenseunicorns/kubernetes-fluent-client/pull/819
      'names the item of a list in which a field is misspelt, and the core group without a name',
      () => apply(secrets, { ...secretNamed('a'), metadata: { name: 'a', ownerReferences: [{ nme: 'b' }] } } as never),
      {
        status: 500,
        body: failure(
          500,
          undefined,
          'failed to create typed patch object (roost/a; /v1, Kind=Secret): .metadata.ownerReferences[0].nme: field not declared in schema',
        ),
      },
    ],
    [
      'takes no other forms of a patch',
      () => ask('PATCH', `${secrets}/a?fieldManager=test`, secretNamed('a'), 'application/xml'),
      { status: 415, body: failure(415, 'UnsupportedMediaType', containing('accepted media types include')) },
    ],
    [
      'lets a body be no other object than the URL names',
      () => ask('PATCH', `${secrets}/b?fieldManager=test`, secretNamed('a')),
      {
        status: 400,
        body: failure(400, 'BadRequest', 'the name of the object (a) does not match the name on the URL (b)'),
      },
    ],
    [
      // https://github.com/pulumi/pulumi/issues/13321
      "leaves another manager's field alone, unless it is forced",
      async () => {
        await apply(sets, setNamed('a'));
        return apply(sets, setNamed('a', { replicas: 2 }), 'fieldManager=other');
      },
      {
        status: 409,
        body: failure(
          409,
          'Conflict',
          'Apply failed with 1 conflict: conflict with "test" using apps/v1: .spec.replicas',
          {
            causes: [
              {
                reason: 'FieldManagerConflict',
                message: 'conflict with "test" using apps/v1',
                field: '.spec.replicas',
              },
            ],
          },
        ),
      },
    ],
    [
      'refuses a change of what has changed meanwhile',
      async () => {
        await apply(secrets, secretNamed('a'));
        return merge(`${secrets}/a`, { metadata: { resourceVersion: '1' }, data: { a: 'Yg==' } });
      },
      {
        status: 409,
        body: failure(
          409,
          'Conflict',
          'Operation cannot be fulfilled on secrets "a": the object has been modified; please apply your changes to the latest version and try again',
          { name: 'a', kind: 'secrets' },
        ),
      },
    ],
    [
      // https://github.com/apache/airflow/issues/48024
      'counts what a quota counts',
      () => {
        double.controllers.rules = { quota: { persistentvolumeclaims: 0 } };
        return apply(claims, claimNamed('a', '1'));
      },
      {
        status: 403,
        body: failure(
          403,
          'Forbidden',
          'persistentvolumeclaims "a" is forbidden: exceeded quota: roost, requested: persistentvolumeclaims=1, used: persistentvolumeclaims=0, limited: persistentvolumeclaims=0',
          { name: 'a', kind: 'persistentvolumeclaims' },
        ),
      },
    ],
    [
      // https://github.com/redpanda-data/redpanda/issues/1043
      'makes nothing in a namespace that is being deleted',
      () => {
        double.controllers.rules = { isTerminating: true };
        return apply(secrets, secretNamed('a'));
      },
      {
        status: 403,
        body: failure(
          403,
          'Forbidden',
          'secrets "a" is forbidden: unable to create new content in namespace roost because it is being terminated',
          expect.objectContaining({ causes: [expect.objectContaining({ reason: 'NamespaceTerminating' })] }),
        ),
      },
    ],
    [
      // https://github.com/strimzi/strimzi-kafka-operator/issues/12628
      'makes no volume smaller',
      async () => {
        await bound('a', '200');
        return apply(claims, claimNamed('a', '100'));
      },
      {
        status: 422,
        body: failure(
          422,
          'Invalid',
          'PersistentVolumeClaim "a" is invalid: spec.resources.requests.storage: Forbidden: field can not be less than status.capacity',
          {
            name: 'a',
            kind: 'PersistentVolumeClaim',
            causes: [
              {
                reason: 'FieldValueForbidden',
                message: 'Forbidden: field can not be less than status.capacity',
                field: 'spec.resources.requests.storage',
              },
            ],
          },
        ),
      },
    ],
    [
      // https://github.com/scylladb/scylla-operator/pull/1053
      'makes a volume larger only where its class can',
      async () => {
        double.controllers.canExpand = false;
        await bound('a', '100');
        return apply(claims, claimNamed('a', '200'));
      },
      {
        status: 403,
        body: failure(
          403,
          'Forbidden',
          'persistentvolumeclaims "a" is forbidden: only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize',
          { name: 'a', kind: 'persistentvolumeclaims' },
        ),
      },
    ],
    [
      // https://github.com/kubernetes/kubernetes/pull/52659: "resizing of all unbound claims are prohibited by validation".
      'makes no volume larger that is not there yet',
      async () => {
        double.controllers.storage = 'pending';
        await apply(claims, claimNamed('a', '100'));
        return apply(claims, claimNamed('a', '200'));
      },
      { status: 422, body: failure(422, 'Invalid', containing('spec is immutable after creation'), expect.anything()) },
    ],
    [
      'moves no volume to another class',
      async () => {
        await bound('a', '100', { storageClassName: 'slow' });
        return apply(claims, claimNamed('a', '100', { storageClassName: 'fast' }));
      },
      {
        status: 422,
        body: failure(
          422,
          'Invalid',
          'PersistentVolumeClaim "a" is invalid: spec: Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims',
          expect.anything(),
        ),
      },
    ],
    [
      // https://github.com/rancher/k3k/issues/1078, of 1.36
      'changes of a set what may change, and nothing else',
      async () => {
        await apply(sets, setNamed('a'));
        return apply(sets, setNamed('a', { serviceName: 'b' }));
      },
      {
        status: 422,
        body: failure(
          422,
          'Invalid',
          `StatefulSet.apps "a" is invalid: spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden`,
          expect.objectContaining({ name: 'a', group: 'apps', kind: 'StatefulSet' }),
        ),
      },
    ],
    [
      'names nothing that DNS could not',
      () => apply(secrets, secretNamed('A')),
      {
        status: 422,
        body: failure(
          422,
          'Invalid',
          containing('Secret "A" is invalid: metadata.name: Invalid value: "A"'),
          expect.anything(),
        ),
      },
    ],
    [
      'takes no label of more than 63 characters',
      () => apply(secrets, { ...secretNamed('a'), metadata: { name: 'a', labels: { a: 'a'.repeat(64) } } } as never),
      {
        status: 422,
        body: failure(422, 'Invalid', containing('must be no more than 63 characters'), expect.anything()),
      },
    ],
    [
      'has no owner without a uid',
      () =>
        apply(secrets, {
          ...secretNamed('a'),
          metadata: { name: 'a', ownerReferences: [{ apiVersion: 'v1', kind: 'Secret', name: 'b', uid: '' }] },
        } as never),
      {
        status: 422,
        body: failure(
          422,
          'Invalid',
          'Secret "a" is invalid: metadata.ownerReferences.uid: Invalid value: "": must not be empty',
          expect.anything(),
        ),
      },
    ],
    [
      'says of what is deleted at once that it is',
      async () => {
        await apply(secrets, secretNamed('a'));
        return ask('DELETE', `${secrets}/a`);
      },
      {
        status: 200,
        body: {
          kind: 'Status',
          apiVersion: 'v1',
          metadata: {},
          status: 'Success',
          details: { name: 'a', kind: 'secrets', uid: expect.any(String) },
        },
      },
    ],
    [
      'gives back what waits for its finalizers',
      async () => {
        await apply(claims, claimNamed('a', '1'));
        return ask('DELETE', `${claims}/a?propagationPolicy=Foreground`);
      },
      {
        status: 200,
        body: expect.objectContaining({
          kind: 'PersistentVolumeClaim',
          metadata: expect.objectContaining({
            finalizers: ['kubernetes.io/pvc-protection', 'foregroundDeletion'],
            deletionTimestamp: expect.any(String),
            deletionGracePeriodSeconds: 0,
          }),
        }),
      },
    ],
  ];
  it.each(cases)('%s', async (_, act, expected) => {
    expect(await act()).toEqual(expected);
  });

  it('counts generations of a spec only, where somebody acts on it', async () => {
    await apply(sets, setNamed('a'));
    const generation = () => double.store.find('statefulsets', 'roost', 'a')?.metadata.generation;
    expect(generation()).toBe(1);
    await merge(`${sets}/a`, { metadata: { annotations: { a: 'b' } } });
    expect(generation()).toBe(1);
    await merge(`${sets}/a`, { spec: { replicas: 1 } });
    expect(generation()).toBe(2);
    await apply(secrets, secretNamed('a'));
    expect(double.store.find('secrets', 'roost', 'a')?.metadata).not.toHaveProperty('generation');
  });

  it('changes nothing, and no version, by what is applied once more', async () => {
    const first = (await apply(secrets, secretNamed('a'))).body as Stored;
    const again = (await apply(secrets, secretNamed('a'))).body as Stored;
    expect(again.metadata.resourceVersion).toBe(first.metadata.resourceVersion);
  });

  it('lists what fits the selector, the list and not its items saying what they are', async () => {
    await apply(secrets, secretNamed('a'));
    await apply(secrets, { ...secretNamed('b'), metadata: { name: 'b', labels: { app: 'b' } } } as never);
    const { body } = await ask('GET', `${secrets}?labelSelector=app%3Da`);
    expect(body).toMatchObject({
      kind: 'SecretList',
      apiVersion: 'v1',
      metadata: { resourceVersion: expect.stringMatching(/^\d+$/) },
      items: [{ metadata: { name: 'a' } }],
    });
    expect((body as unknown as { items: object[] }).items[0]).not.toHaveProperty('kind');
  });

  it('reports a refused pod as an event of its set', async () => {
    double.controllers.rules = { runtimeClasses: ['runsc'] };
    const security = {
      securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
      containers: [
        {
          name: 'main',
          image: 'a',
          securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
        },
      ],
    };
    await apply(sets, setNamed('a', { replicas: 1, pod: { ...security, runtimeClassName: 'gvisor' } }));
    await apply(sets, setNamed('b', { replicas: 1 }));
    const messages = () => double.store.all('events').map((event) => [event['reason'], event['message']]);
    await expect
      .poll(messages)
      .toContainEqual([
        'FailedCreate',
        'create Pod a-0 in StatefulSet a failed error: pods "a-0" is forbidden: pod rejected: RuntimeClass "gvisor" not found',
      ]);
    await expect
      .poll(messages)
      .toContainEqual([
        'FailedCreate',
        containing(
          'pods "b-0" is forbidden: violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false (container "main" must set securityContext.allowPrivilegeEscalation=false)',
        ),
      ]);
  });

  describe('as a watch', () => {
    const watch = async (query: string) => {
      const response = await fetch(`${double.url}${secrets}?watch=true&${query}`);
      const events: { type: string; object: Stored }[] = [];
      const stream = Readable.fromWeb(response.body as never);
      // The server goes away at the end of each test.
      stream.on('error', () => undefined);
      const lines = createInterface(stream);
      lines.on('error', () => undefined);
      lines.on('line', (line) => events.push(JSON.parse(line) as (typeof events)[number]));
      const ended = new Promise<void>((resolve) => lines.once('close', resolve));
      return { status: response.status, events, ended };
    };
    const names = (events: { type: string; object: Stored }[]) =>
      events.filter(({ type }) => type !== 'BOOKMARK').map(({ type, object }) => `${type} ${object.metadata.name}`);

    it('sends what changed since a version, and of a selector what leaves it as deleted', async () => {
      const from = double.store.resourceVersion;
      await apply(secrets, secretNamed('a'));
      const { status, events } = await watch(`resourceVersion=${from}&labelSelector=app%3Da`);
      expect(status).toBe(200);
      await merge(`${secrets}/a`, { data: { a: 'Yg==' } });
      await merge(`${secrets}/a`, { metadata: { labels: { app: 'b' } } });
      await merge(`${secrets}/a`, { data: { a: 'Yw==' } });
      await merge(`${secrets}/a`, { metadata: { labels: { app: 'a' } } });
      await ask('DELETE', `${secrets}/a`);
      await expect.poll(() => names(events)).toEqual(['ADDED a', 'MODIFIED a', 'DELETED a', 'ADDED a', 'DELETED a']);
    });

    it('sends bookmarks of its kind with nothing in them but a version, to those who asked for them', async () => {
      const asked = await watch(`resourceVersion=${double.store.resourceVersion}&allowWatchBookmarks=true`);
      const others = await watch(`resourceVersion=${double.store.resourceVersion}`);
      await expect
        .poll(() => asked.events[0])
        .toEqual({
          type: 'BOOKMARK',
          object: {
            kind: 'Secret',
            apiVersion: 'v1',
            metadata: { resourceVersion: expect.stringMatching(/^\d+$/), creationTimestamp: null },
          },
        });
      expect(others.events).toEqual([]);
    });

    it('ends by itself after as many seconds as were asked for', async () => {
      const { ended } = await watch(`resourceVersion=${double.store.resourceVersion}&timeoutSeconds=1`);
      await ended;
    });

    it('says in the stream that a version is too old, and ends', async () => {
      // https://github.com/wso2/apk/issues/571
      double.store.compact();
      const { status, events, ended } = await watch('resourceVersion=1');
      await ended;
      expect(status).toBe(200);
      const message = expect.stringMatching(/^too old resource version: 1 \(\d+\)$/) as string;
      expect(events).toEqual([{ type: 'ERROR', object: failure(410, 'Expired', message) }]);
    });
  });

  it('holds a claim that a pod uses until the pod is gone, and removes what it owned before it', async () => {
    await bound('a', '1');
    const uid = double.store.find('persistentvolumeclaims', 'roost', 'a')?.metadata.uid ?? randomUUID();
    const owner = { apiVersion: 'v1', kind: 'PersistentVolumeClaim', name: 'a', uid, blockOwnerDeletion: true };
    await apply(secrets, { ...secretNamed('a'), metadata: { name: 'a', ownerReferences: [owner] } } as never);
    const gone: string[] = [];
    double.store.listeners.add(({ type, plural }) => type === 'DELETED' && gone.push(plural));
    await ask('DELETE', `${claims}/a?propagationPolicy=Foreground`);
    await expect.poll(() => gone).toEqual(['secrets', 'persistentvolumeclaims']);
  });
});
