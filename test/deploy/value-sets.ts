import { readFileSync } from 'node:fs';
import type { Values } from '#tools/helm';
import { services as deployed } from '#tools/launcher';
import { parse } from 'yaml';

const services = deployed.map(({ name }) => name);
const ofEach = (values: Values) => Object.fromEntries(services.map((name) => [name, values]));
const toleration = { key: 'agents', operator: 'Exists' };

/** Values that between them reach every branch of the chart. */
export const valueSets: Record<string, Values> = {
  'its own values': {},
  'an external database and bus': {
    postgres: { bundled: false, rolePerService: false, port: 6432 },
    nats: {
      bundled: false,
      host: 'nats.bus.svc',
      port: 4333,
      peer: { namespaceSelector: { matchLabels: { name: 'bus' } } },
    },
  },
  'an external database that makes roles': { postgres: { bundled: false } },
  'one of each service': {
    services: ofEach({ replicas: 1, maxReplicas: 1 }),
    autoscaling: { enabled: false },
  },
  'two of each service, and more under load': {
    services: ofEach({ replicas: 2, maxReplicas: 3, env: { SOME: 'thing' } }),
    autoscaling: { targetCpuPercent: 50 },
  },
  'an Ingress with TLS': {
    publicUrl: 'https://roost.example',
    ingress: {
      enabled: true,
      host: 'roost.example',
      className: 'nginx',
      tlsSecretName: 'tls',
      annotations: { a: 'b' },
    },
    networkPolicy: { gatewayFrom: [{ namespaceSelector: { matchLabels: { name: 'ingress' } } }] },
  },
  'an Ingress of the default class, without TLS': { ingress: { enabled: true, host: 'roost.example' } },
  'the Gateway API, no autoscaling, metrics': {
    httpRoute: { enabled: true, parentRefs: [{ name: 'public' }], hostnames: ['roost.example'] },
    autoscaling: { enabled: false },
    networkPolicy: { metricsFrom: [{ podSelector: {} }], gatewayFrom: [{ podSelector: {} }] },
  },
  "deploy/kind's": parse(readFileSync(new URL('../../deploy/kind/values.yaml', import.meta.url), 'utf8')) as Values,
  'no network policies': { networkPolicy: { enabled: false } },
  'gVisor, nodes and storage of their own, a quota': {
    tolerations: [toleration],
    nodeSelector: { pool: 'services' },
    workspaces: {
      instance: 'second',
      runtimeClassName: 'gvisor',
      storageClass: 'fast',
      nodeSelector: { pool: 'agents' },
      tolerations: [toleration],
      quota: { pods: '100', 'requests.memory': '200Gi' },
      startTimeoutMs: 60_000,
      egressAllowedRanges: '10.1.0.0/16',
    },
    postgres: { storageClass: 'fast', storage: '100Gi' },
    nats: { storageClass: 'fast', storage: '50Gi', fileStore: '45Gi' },
  },
  'images of a registry, an existing Secret, more environment': {
    image: { repository: 'registry.example/roost', tag: 'abc', pullPolicy: 'Always' },
    imagePullSecrets: [{ name: 'registry' }],
    secretName: 'another',
    logLevel: 'debug',
    terminationGracePeriodSeconds: 60,
    env: { SOME: 'thing', EMPTY: '' },
    envFrom: [{ secretRef: { name: 'model-keys' } }],
    workspaces: {
      image: 'registry.example/roost-workspace:abc',
      imagePullPolicy: 'Always',
      imagePullSecrets: ['registry'],
    },
    postgres: { image: 'registry.example/postgres:17' },
    nats: { image: 'registry.example/nats:2.12' },
  },
};
