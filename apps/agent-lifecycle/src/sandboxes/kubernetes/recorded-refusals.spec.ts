import type { CoreV1Event, V1PersistentVolumeClaim, V1Pod } from '@kubernetes/client-node';
import { type Fault, freshBus, type FreshBus } from '#lib/testing';
import type { NatsConnection } from '@nats-io/transport-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { specOf } from '../../../test/drivers/driver-under-test.js';
import { kubernetesFixture } from '../../../test/drivers/kubernetes/kubernetes-fixture.js';
import { whyPending, whyPodFails } from './reasons.js';

type Recorded = Extract<Fault, { kind: 'answer' }>;

const json = (body: { code: number; [field: string]: unknown }): Recorded => ({
  kind: 'answer',
  status: body.code,
  contentType: 'application/json',
  body: JSON.stringify({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', ...body }),
});
const text = (status: number, body: string, contentType = 'text/plain; charset=utf-8'): Recorded => ({
  kind: 'answer',
  status,
  contentType,
  body,
});

/** What API servers answered, and what stands before them: from the reports that are named. */
const final: [name: string, answer: Recorded, reason: string][] = [
  [
    // https://github.com/apache/airflow/issues/48024
    'a quota that is used up',
    json({
      message:
        'pods "cowsay-statc-79n0g2sj" is forbidden: exceeded quota: primitive-aurora-5047-default, requested: cpu=250m,memory=512Mi, used: cpu=1,memory=2Gi, limited: cpu=1,memory=2Gi',
      reason: 'Forbidden',
      details: { name: 'cowsay-statc-79n0g2sj', kind: 'pods' },
      code: 403,
    }),
    "the namespace's quota is used up",
  ],
  [
    // https://github.com/jupyterhub/jupyterhub/issues/4414
    'a quota that wants more said',
    json({
      message:
        'pods "jupyter-admweninger" is forbidden: failed quota: hpecp-tenant-42-jpgpb: must specify limits.cpu,limits.memory',
      reason: 'Forbidden',
      details: { name: 'jupyter-admweninger', kind: 'pods' },
      code: 403,
    }),
    'quota or limit range does not fit it',
  ],
  [
    // https://github.com/openshift/origin/issues/13882
    'a limit range',
    json({
      message:
        'persistentvolumeclaims "git" is forbidden: minimum storage usage per PersistentVolumeClaim is 1Gi, but request is 1G.',
      reason: 'Forbidden',
      details: { name: 'git', kind: 'persistentvolumeclaims' },
      code: 403,
    }),
    'quota or limit range does not fit it',
  ],
  [
    // https://github.com/kubernetes/kubernetes/issues/122480
    'a field that no schema knows, as a failure of the server',
    json({
      message:
        'failed to create typed patch object (general/admin-api; /v1, Kind=Service): .spec.topologyKeys: field not declared in schema',
      code: 500,
    }),
    'the settings hold something that Kubernetes does not know',
  ],
  [
    // https://github.com/kubernetes/kubernetes/pull/139255
    'a field that no schema knows, as a bad request',
    json({
      message:
        'failed to create typed patch object (general/admin-api; /v1, Kind=Service): .spec.topologyKeys: field not declared in schema',
      reason: 'BadRequest',
      code: 400,
    }),
    'the settings hold something that Kubernetes does not know',
  ],
  [
    // https://github.com/redpanda-data/redpanda/issues/1043
    'a namespace that is being deleted',
    json({
      message:
        'services "rp-cluster-17" is forbidden: unable to create new content in namespace rp-1-1-17 because it is being terminated',
      reason: 'Forbidden',
      details: { name: 'rp-cluster-17', kind: 'services', causes: [{ reason: 'NamespaceTerminating' }] },
      code: 403,
    }),
    'the namespace is being deleted',
  ],
  [
    'a namespace that is not there',
    json({
      message: 'namespaces "roost" not found',
      reason: 'NotFound',
      details: { name: 'roost', kind: 'namespaces' },
      code: 404,
    }),
    'the namespace is not there',
  ],
  [
    'rights that are missing',
    json({
      message:
        'persistentvolumeclaims "a" is forbidden: User "system:serviceaccount:roost:roost-agent-lifecycle" cannot patch resource "persistentvolumeclaims" in API group "" in the namespace "roost"',
      reason: 'Forbidden',
      details: { name: 'a', kind: 'persistentvolumeclaims' },
      code: 403,
    }),
    'check the Role of the agent-lifecycle service',
  ],
  [
    'a webhook that says no',
    json({
      message:
        'admission webhook "validation.gatekeeper.sh" denied the request: [psp-volume-types] the volume type is not allowed',
      reason: 'Forbidden',
      code: 403,
    }),
    'an admission policy of the cluster refuses it',
  ],
  [
    // https://github.com/strimzi/strimzi-kafka-operator/issues/12628
    'what is not valid',
    json({
      message:
        'PersistentVolumeClaim "data-0-cdc-cluster-kafka-0" is invalid: spec.resources.requests.storage: Forbidden: field can not be less than status.capacity',
      reason: 'Invalid',
      details: {
        name: 'data-0-cdc-cluster-kafka-0',
        kind: 'PersistentVolumeClaim',
        causes: [
          {
            reason: 'FieldValueForbidden',
            message: 'Forbidden: field can not be less than status.capacity',
            field: 'spec.resources.requests.storage',
          },
        ],
      },
      code: 422,
    }),
    'Kubernetes does not accept it',
  ],
  [
    'a token that is not taken',
    json({ message: 'Unauthorized', reason: 'Unauthorized', code: 401 }),
    'the Kubernetes API does not know us: Unauthorized',
  ],
];

const passing: [name: string, answer: Recorded][] = [
  // By priority and fairness: no JSON (https://github.com/kubernetes/kubernetes/issues/15372).
  ['too many requests', { ...text(429, 'Too many requests, please try again later.\n'), retryAfterSeconds: 0 }],
  [
    // https://github.com/stackabletech/stackablectl/issues/370
    'storage that is not ready',
    json({
      message: 'storage is (re)initializing',
      reason: 'TooManyRequests',
      details: { retryAfterSeconds: 1 },
      code: 429,
    }),
  ],
  ['etcd without a leader', json({ message: 'etcdserver: leader changed', code: 500 })],
  [
    'etcd that is slow',
    json({
      message: 'Timeout: request did not complete within requested timeout - context deadline exceeded',
      reason: 'Timeout',
      details: {},
      code: 504,
    }),
  ],
  [
    'a webhook that does not answer',
    json({
      message:
        'Internal error occurred: failed calling webhook "validate.kyverno.svc": failed to call webhook: Post "https://kyverno.svc:443/validate?timeout=10s": context deadline exceeded',
      reason: 'InternalError',
      details: { causes: [{ message: 'failed calling webhook' }] },
      code: 500,
    }),
  ],
  [
    'a change meanwhile',
    json({
      message:
        'Operation cannot be fulfilled on persistentvolumeclaims "a": the object has been modified; please apply your changes to the latest version and try again',
      reason: 'Conflict',
      details: { name: 'a', kind: 'persistentvolumeclaims' },
      code: 409,
    }),
  ],
  [
    'what is still being deleted',
    json({
      message: 'object is being deleted: persistentvolumeclaims "a" already exists',
      reason: 'AlreadyExists',
      details: { name: 'a', kind: 'persistentvolumeclaims' },
      code: 409,
    }),
  ],
  ['a server that stops', text(503, 'apiserver is shutting down.\n')],
  ['a load balancer without a server', text(502, '<html><body><h1>502 Bad Gateway</h1></body></html>', 'text/html')],
];

describe.concurrent('the kubernetes driver, by what API servers were seen to answer,', () => {
  let bus: FreshBus;
  let connection: NatsConnection;
  beforeAll(async () => {
    bus = await freshBus();
    connection = await bus.connect();
  });
  afterAll(async () => {
    await connection.close();
    bus.release();
  });

  it.each(final)('gives up at once and reports %s', async (_, answer, reason) => {
    const fixture = await kubernetesFixture(bus, connection, { startTimeoutMs: 5_000, patienceMs: 5_000 });
    let asked = 0;
    fixture.double.fault = ({ verb, plural }) => {
      if (verb !== 'patch' || plural !== 'persistentvolumeclaims') return undefined;
      asked += 1;
      return answer;
    };
    await expect(fixture.driver().ensure(specOf())).rejects.toThrow(reason);
    await fixture.close();
    expect(asked).toBe(1);
  });

  it.each(passing)('tries again after %s', async (_, answer) => {
    const fixture = await kubernetesFixture(bus, connection, { startTimeoutMs: 20_000, patienceMs: 20_000 });
    const left = new Map<string, number>();
    fixture.double.fault = ({ verb, plural }) => {
      const asked = left.get(`${verb} ${plural}`) ?? 0;
      left.set(`${verb} ${plural}`, asked + 1);
      return asked < 1 && verb !== 'watch' ? answer : undefined;
    };
    const driver = fixture.driver();
    const spec = specOf();
    await driver.ensure(spec);
    await expect(driver.inspect(spec.agentId)).resolves.toEqual({ state: 'running' });
    await fixture.close();
  });

  it('keeps to the volume that there is when the settings name another class, and enlarges it once it is there', async () => {
    const fixture = await kubernetesFixture(bus, connection, { startTimeoutMs: 2_000 });
    const spec = specOf();
    const size = () =>
      fixture.double.store.all('persistentvolumeclaims').map(({ spec: { resources } = {} }) => resources);
    fixture.double.controllers.storage = 'pending';
    await expect(fixture.driver({ storageClass: 'slow' }).ensure(spec)).rejects.toThrow(
      'the volume is still not there',
    );
    const larger = { ...spec, volumeBytes: spec.volumeBytes * 2 };
    await expect(fixture.driver({ storageClass: 'slow' }).ensure(larger)).rejects.toThrow(
      'the volume is still not there',
    );
    expect(size()).toEqual([{ requests: { storage: String(spec.volumeBytes) } }]);
    fixture.double.controllers.storage = 'bound';
    fixture.double.controllers.soon();
    const patient = { storageClass: 'fast', startTimeoutMs: 30_000 };
    await fixture.driver(patient).ensure(spec);
    await fixture.driver().sleep(spec.agentId);
    await fixture.driver(patient).ensure(larger);
    expect(size()).toEqual([{ requests: { storage: String(larger.volumeBytes) } }]);
    expect(fixture.double.store.all('persistentvolumeclaims')[0]?.spec?.['storageClassName']).toBe('slow');
    await fixture.close();
  });
});

const event = (reason: string, message: string): CoreV1Event => ({ reason, message, metadata: {}, involvedObject: {} });
const pending: V1Pod = { metadata: { name: 'a-0' }, status: { phase: 'Pending' } };
const claim: V1PersistentVolumeClaim = { metadata: { name: 'a' }, status: { phase: 'Bound' } };

describe('the reason why a workspace is late', () => {
  const lost = { metadata: { name: 'a' }, spec: { volumeName: 'pvc-1' }, status: { phase: 'Lost' } };
  it.each<[string, V1Pod | undefined, V1PersistentVolumeClaim, CoreV1Event[], string]>([
    [
      // https://github.com/velero-io/velero/issues/34
      'a volume that is lost',
      pending,
      lost,
      [event('ClaimLost', 'Bound claim has lost its PersistentVolume. Data on the volume is lost!')],
      'the volume pvc-1 of the claim a is gone',
    ],
    [
      'a runtime class that is not there',
      undefined,
      claim,
      [
        event(
          'FailedCreate',
          'create Pod a-0 in StatefulSet a failed error: pods "a-0" is forbidden: pod rejected: RuntimeClass "gvisor" not found',
        ),
      ],
      'the cluster has no such runtime class',
    ],
    [
      // https://github.com/kubernetes/minikube/issues/5463
      'a node without the runtime',
      pending,
      claim,
      [
        event(
          'FailedCreatePodSandBox',
          'Failed to create pod sandbox: rpc error: code = Unknown desc = failed to get sandbox runtime: no runtime for "runsc" is configured',
        ),
      ],
      'its runtime must be on every node',
    ],
    [
      'a pod whose node is away',
      {
        metadata: { name: 'a-0', deletionTimestamp: new Date() },
        spec: { nodeName: 'node-3', containers: [] },
        status: { phase: 'Running', reason: 'NodeLost' },
      },
      claim,
      [],
      'where its node node-3 is away for good',
    ],
    [
      'what is wrong now, and not what was before the pod ran',
      { metadata: { name: 'a-0' }, status: { phase: 'Running' } },
      claim,
      [event('FailedCreatePodSandBox', 'the network plugin was not there yet'), event('FailedMount', 'nor the volume')],
      'the pod runs but does not answer on the bus',
    ],
    [
      'a volume that another node holds',
      pending,
      claim,
      [
        event(
          'FailedAttachVolume',
          'Multi-Attach error for volume "pvc-1" Volume is already exclusively attached to one node and can\'t be attached to another',
        ),
      ],
      'the volume cannot be mounted: Multi-Attach error',
    ],
    [
      // https://github.com/hmcts/cnp-flux-config/pull/13765
      'a quota that wants more said of the pod',
      undefined,
      claim,
      [
        event(
          'FailedCreate',
          'create Pod a-0 in StatefulSet a failed error: pods "a-0" is forbidden: failed quota: fpl-quota: must specify requests.cpu,requests.memory',
        ),
      ],
      'quota or limit range does not fit it',
    ],
    [
      'what nobody foresaw',
      undefined,
      claim,
      [event('FailedCreate', 'create Pod a-0 in StatefulSet a failed error: pods "a-0" is forbidden: something else')],
      'Kubernetes refuses it: create Pod a-0',
    ],
  ])('names %s', (_, pod, of, events, reason) => {
    expect(whyPending(pod, of, events)).toContain(reason);
  });

  it.each<[string, V1Pod['status'], string]>([
    [
      'an eviction',
      {
        phase: 'Failed',
        reason: 'Evicted',
        message:
          'The node was low on resource: memory. Threshold quantity: 100Mi, available: 88Ki. Container workspace was using 300Mi, request is 256Mi, has larger consumption of memory. ',
      },
      'the node evicted the workspace (The node was low on resource: memory.',
    ],
    [
      'a node that shuts down',
      { phase: 'Failed', reason: 'Terminated', message: 'Pod was terminated in response to imminent node shutdown.' },
      'Pod was terminated in response to imminent node shutdown.',
    ],
    [
      'a node that has too little after all',
      {
        phase: 'Failed',
        reason: 'OutOfmemory',
        message:
          "Node didn't have enough resource: memory, requested: 268435456, used: 8000000000, capacity: 8100000000",
      },
      'the node gave up the workspace: OutOfmemory',
    ],
    [
      'an image without the program',
      {
        phase: 'Running',
        containerStatuses: [
          {
            name: 'workspace',
            image: 'a',
            imageID: '',
            ready: false,
            restartCount: 3,
            state: { waiting: { reason: 'CrashLoopBackOff', message: 'back-off 40s restarting failed container' } },
            lastState: {
              terminated: {
                exitCode: 128,
                reason: 'StartError',
                message:
                  'failed to create containerd task: failed to create shim task: OCI runtime create failed: exec: "/usr/lib/roost/init": stat /usr/lib/roost/init: no such file or directory: unknown',
              },
            },
          },
        ],
      },
      'the workspace ended (StartError, exit code 128): failed to create containerd task',
    ],
    [
      'a Secret that is not there',
      {
        phase: 'Pending',
        containerStatuses: [
          {
            name: 'workspace',
            image: 'a',
            imageID: '',
            ready: false,
            restartCount: 0,
            state: { waiting: { reason: 'CreateContainerConfigError', message: 'secret "a" not found' } },
          },
        ],
      },
      'the node cannot make the container: secret "a" not found',
    ],
  ])('or of a failed pod %s', (_, status, reason) => {
    expect(whyPodFails({ metadata: { name: 'a-0' }, ...(status && { status }) })).toContain(reason);
  });
});
