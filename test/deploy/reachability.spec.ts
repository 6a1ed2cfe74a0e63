import type { Manifest, Values } from '#tools/helm';
import { describe, expect, it } from 'vitest';
import { specOf } from '../../apps/agent-lifecycle/test/drivers/driver-under-test.js';
import { networkPolicy, statefulSet } from '../../apps/agent-lifecycle/src/sandboxes/kubernetes/manifests.js';
import { isPolicy, Network, type Peer, type Pod, type Policy, type Port } from './network.js';
import { render, sandboxSettings } from './rendered.js';
import { valueSets } from './value-sets.js';

/** Pods of others, whom nothing of ours protects. */
const others: Record<string, Pod> = {
  stranger: { namespace: 'roost', labels: { app: 'stranger' }, address: '10.0.9.1' },
  neighbour: { namespace: 'elsewhere', labels: { app: 'neighbour' }, address: '10.0.9.2' },
  // Of another Roost, whose sandboxes are labelled as ours are.
  'foreign-sandbox': {
    namespace: 'elsewhere',
    labels: {
      'app.kubernetes.io/managed-by': 'roost',
      'app.kubernetes.io/instance': 'roost',
      'roost.dev/agent-id': 'c',
    },
    address: '10.0.9.3',
  },
  dns: { namespace: 'kube-system', labels: { 'k8s-app': 'kube-dns' }, address: '10.0.9.4' },
};
const outside: Record<string, Peer> = {
  internet: { address: '203.0.113.5' },
  'internet-6': { address: '2001:db8::5' },
  'api-server': { address: '192.0.2.10' },
  metadata: { address: '169.254.169.254' },
  'metadata-6': { address: 'fd00:ec2::254' },
};

const tcp = (port: number): Port => ({ port, protocol: 'TCP' });
/** What listens, and what could. */
const ports: Record<string, Port[]> = {
  gateway: [tcp(3000), tcp(9464)],
  'agent-lifecycle': [tcp(3128), tcp(9464)],
  nats: [tcp(4222), tcp(8222)],
  postgres: [tcp(5432)],
  test: [tcp(8080)],
  dns: [{ port: 53, protocol: 'UDP' }, tcp(53)],
  'api-server': [tcp(6443)],
  internet: [tcp(443)],
  'internet-6': [tcp(443)],
  metadata: [tcp(80)],
  'metadata-6': [tcp(80)],
  stranger: [tcp(8080)],
  neighbour: [tcp(8080)],
  'sandbox-a': [tcp(8080)],
  'sandbox-b': [tcp(8080)],
  'foreign-sandbox': [tcp(8080)],
};
const ofServices = [tcp(9464)];

interface Cluster {
  peers: Record<string, Peer>;
  policies: Policy[];
}

/** The chart's pods with two sandboxes as the lifecycle service's settings make them. */
async function clusterOf(values: Values): Promise<Cluster> {
  const { manifests } = await render(values);
  const podsOf = (manifest: Manifest) => {
    const spec = manifest['spec'] as { template?: { metadata: { labels: Record<string, string> } } } | undefined;
    const labels = manifest.kind === 'Pod' ? manifest.metadata.labels : spec?.template?.metadata.labels;
    const name = labels?.['app.kubernetes.io/component'];
    return ['Pod', 'Deployment', 'StatefulSet'].includes(manifest.kind) && name ? [[name, labels] as const] : [];
  };
  const settings = sandboxSettings(manifests);
  const sandboxes = ['a', 'b'].map((agentId) => {
    const labels = statefulSet(settings, specOf({ agentId }), 'uid').spec?.template.metadata?.labels ?? {};
    return { name: `sandbox-${agentId}`, labels, policy: networkPolicy(settings, agentId, 'uid') as unknown as Policy };
  });
  const pods = [...manifests.flatMap(podsOf), ...sandboxes.map(({ name, labels }) => [name, labels] as const)];
  const peers = Object.fromEntries(
    pods.map(([name, labels], index) => [name, { namespace: 'roost', labels, address: `10.0.0.${index + 1}` }]),
  );
  const policies = [...(manifests.filter(isPolicy) as unknown as Policy[]), ...sandboxes.map(({ policy }) => policy)];
  return { peers: { ...peers, ...others, ...outside }, policies };
}

/** Whom each reaches, as `name:port`; where plugins differ, all that any of them lets through. */
function reachable({ peers, policies }: Cluster, doBlocksHoldPods = true): Record<string, string[]> {
  const namespaces = { roost: {}, elsewhere: { name: 'elsewhere' }, 'kube-system': {} };
  const network = new Network({ policies, namespaces, namespace: 'roost', doBlocksHoldPods });
  const from = Object.entries(peers).filter(([, peer]) => 'namespace' in peer);
  return Object.fromEntries(
    from.map(([name, peer]) => [
      name,
      Object.entries(peers)
        .filter(([other]) => other !== name)
        .flatMap(([other, target]) =>
          (ports[other] ?? ofServices)
            .filter((port) => network.reaches(peer, target, port))
            .map(({ port, protocol }) => `${other}:${port}${protocol === 'UDP' ? '/udp' : ''}`),
        )
        .sort(),
    ]),
  );
}

const names = ['dns:53', 'dns:53/udp'];
const stores = ['nats:4222', 'postgres:5432'];
const anywhere = ['api-server:6443', 'internet-6:443', 'internet:443'];
/** Whom nobody protects and the services' own guard of addresses keeps them from. */
const unprotected = ['foreign-sandbox:8080', 'neighbour:8080', 'stranger:8080'];
const open = ['gateway:3000'];
const sorted = (...lists: string[][]) => lists.flat().sort();
const strangers = (...more: string[]) => ({
  stranger: sorted(
    open,
    names,
    anywhere,
    ['metadata:80', 'metadata-6:80'],
    unprotected.filter((to) => !to.startsWith('stranger')),
    more,
  ),
  neighbour: sorted(
    open,
    names,
    anywhere,
    ['metadata:80', 'metadata-6:80'],
    unprotected.filter((to) => !to.startsWith('neighbour')),
    more,
  ),
  'foreign-sandbox': sorted(
    open,
    names,
    anywhere,
    ['metadata:80', 'metadata-6:80'],
    unprotected.filter((to) => !to.startsWith('foreign')),
    more,
  ),
  dns: sorted(open, anywhere, ['metadata:80', 'metadata-6:80'], unprotected, more),
});

/** docs/security.md, "In the cluster". */
const promised = {
  gateway: sorted(names, stores, anywhere, unprotected),
  messaging: sorted(names, stores),
  'agent-runtime': sorted(names, stores, anywhere, unprotected, open),
  'agent-lifecycle': sorted(names, stores, anywhere, unprotected, open),
  scheduler: sorted(names, stores),
  'webhook-dispatch': sorted(names, stores, anywhere, unprotected, open),
  channels: sorted(names, stores, anywhere, unprotected, open),
  nats: [],
  postgres: [],
  test: sorted(names, open),
  'sandbox-a': ['agent-lifecycle:3128', 'nats:4222'],
  'sandbox-b': ['agent-lifecycle:3128', 'nats:4222'],
  ...strangers(),
};

describe('the network policies of the chart and of sandboxes', () => {
  it('let each pod reach what docs/security.md says, and nothing else', async () => {
    expect(reachable(await clusterOf({}))).toEqual(promised);
  });

  it('let the services reach what they need where blocks of addresses hold no pods too', async () => {
    const strict = reachable(await clusterOf({}), false);
    for (const service of ['gateway', 'agent-runtime', 'agent-lifecycle', 'webhook-dispatch', 'channels']) {
      expect(strict[service]).toEqual(sorted(names, stores, anywhere));
    }
    expect(strict['messaging']).toEqual(promised.messaging);
    expect(strict['sandbox-a']).toEqual(promised['sandbox-a']);
  });

  it.each(Object.entries(valueSets))('keep sandboxes to the bus and the egress proxy: %s', async (_, values) => {
    const cluster = await clusterOf(values);
    const bus: Pod = { namespace: 'elsewhere', labels: { app: 'nats' }, address: '10.0.9.9' };
    const reached = reachable({ ...cluster, peers: { ...cluster.peers, bus } });
    const isBundled = 'nats' in cluster.peers;
    for (const sandbox of ['sandbox-a', 'sandbox-b']) {
      expect(reached[sandbox]?.filter((to) => !to.startsWith('bus'))).toEqual(
        isBundled ? ['agent-lifecycle:3128', 'nats:4222'] : ['agent-lifecycle:3128'],
      );
      for (const [name, targets] of Object.entries(reached))
        expect([name, ...targets]).not.toContain(`${sandbox}:8080`);
    }
  });

  it('close the gateway and open metrics to whom the values name', async () => {
    const peer = {
      namespaceSelector: { matchLabels: { name: 'elsewhere' } },
      podSelector: { matchLabels: { app: 'neighbour' } },
    };
    const reached = reachable(await clusterOf({ networkPolicy: { gatewayFrom: [peer], metricsFrom: [peer] } }));
    expect(reached['neighbour']).toEqual(expect.arrayContaining(['gateway:3000', 'gateway:9464', 'messaging:9464']));
    for (const name of ['stranger', 'foreign-sandbox', 'sandbox-a']) {
      expect(reached[name]?.filter((to) => /^(gateway|messaging):/.test(to))).toEqual([]);
    }
  });

  it('are each needed, with every rule, peer and port of theirs', async () => {
    const cluster = await clusterOf({});
    const judged = (policies: Policy[]) =>
      JSON.stringify([true, false].map((doBlocksHoldPods) => reachable({ ...cluster, policies }, doBlocksHoldPods)));
    const whole = judged(cluster.policies);
    const idle = partsOf(cluster.policies).filter(({ without }) => judged(without()) === whole);
    expect(idle.map(({ name }) => name)).toEqual([]);
  });
});

/** Every policy, and every rule, peer and port in one, with the policies as they are without it. */
function partsOf(policies: Policy[]): { name: string; without(): Policy[] }[] {
  const part = (name: string, change: (policy: Policy) => void, index: number) => ({
    name,
    without: () => {
      const copy = structuredClone(policies);
      change(copy[index]!);
      return copy;
    },
  });
  return policies.flatMap(({ metadata: { name }, spec }, index) => [
    { name, without: () => policies.filter((_, other) => other !== index) },
    ...(['ingress', 'egress'] as const).flatMap((direction) =>
      (spec[direction] ?? []).flatMap((rule, at) => [
        part(`${name} ${direction} ${at}`, (policy) => policy.spec[direction]?.splice(at, 1), index),
        ...(['from', 'to', 'ports'] as const).flatMap((list) =>
          (rule[list] ?? []).length > 1
            ? (rule[list] ?? []).map((__, one) =>
                part(
                  `${name} ${direction} ${at} ${list} ${one}`,
                  (policy) => policy.spec[direction]?.[at]?.[list]?.splice(one, 1),
                  index,
                ),
              )
            : [],
        ),
      ]),
    ),
  ]);
}
