import type { Values } from '#tools/helm';

/** Values that between them reach every branch of the chart. */
export const variants: Record<string, Values> = {
  'its own values': {},
  'an external database and bus': {
    postgres: { bundled: false, rolePerService: false },
    nats: { bundled: false, host: 'nats.bus.svc', peer: { namespaceSelector: { matchLabels: { name: 'bus' } } } },
  },
  'an Ingress, a runtime class, a quota and pull secrets': {
    ingress: {
      enabled: true,
      host: 'roost.example',
      className: 'nginx',
      tlsSecretName: 'tls',
      annotations: { a: 'b' },
    },
    imagePullSecrets: [{ name: 'registry' }],
    tolerations: [{ key: 'agents', operator: 'Exists' }],
    nodeSelector: { pool: 'services' },
    env: { SOME: 'thing' },
    envFrom: [{ secretRef: { name: 'model-keys' } }],
    workspaces: {
      runtimeClassName: 'gvisor',
      storageClass: 'fast',
      imagePullSecrets: ['registry'],
      nodeSelector: { pool: 'agents' },
      tolerations: [{ key: 'agents', operator: 'Exists' }],
      quota: { pods: '100' },
    },
  },
  'the Gateway API, no autoscaling, metrics': {
    httpRoute: { enabled: true, parentRefs: [{ name: 'public' }], hostnames: ['roost.example'] },
    autoscaling: { enabled: false },
    networkPolicy: { metricsFrom: [{ podSelector: {} }], gatewayFrom: [{ podSelector: {} }] },
  },
};
