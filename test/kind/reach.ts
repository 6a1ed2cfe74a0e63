import { CONTROL, type Kubectl, NAMESPACE, type PodSeen } from './kubectl.js';

export interface Target {
  name: string;
  address: string;
  port: number;
}

const PROBE_MS = 4_000;

/** Run by the pod's own Node: whether a TCP connection opens. */
function probe({ address, port }: Target): string[] {
  const script = `const s=require('net').connect(${port},${JSON.stringify(address)});const end=(w)=>{console.log(w);process.exit()};s.once('connect',()=>end('open'));s.once('error',()=>end('closed'));setTimeout(()=>end('closed'),${PROBE_MS})`;
  return ['node', '-e', script];
}

const listen = [
  'node',
  '-e',
  "require('net').createServer((s)=>s.end()).listen(8080);setTimeout(()=>process.exit(),120000)",
];
const LISTENING: Pick<Target, 'port'> = { port: 8080 };

export interface ReachInput {
  kubectl: Kubectl;
  /** Of two agents. */
  sandboxes: [PodSeen, PodSeen];
  image: string;
  say(line: string): void;
}

/**
 * Tries from inside a sandbox, and from pods that no policy holds, what docs/security.md says of the network. Errors: what a
 * sandbox reaches and must not, or the reverse; a control that shows nothing: policies that are not enforced, or a target
 * that nobody reaches.
 */
export async function tryReach({ kubectl, sandboxes: [one, other], image, say }: ReachInput): Promise<void> {
  const component = (name: string) => `app.kubernetes.io/name=roost,app.kubernetes.io/component=${name}`;
  const [nats, postgres, gateway, lifecycle] = [
    await kubectl.pod(component('nats')),
    await kubectl.pod(component('postgres')),
    await kubectl.pod(component('gateway')),
    await kubectl.pod(component('agent-lifecycle')),
  ];
  const dns = await kubectl.pod('k8s-app=kube-dns', 'kube-system');
  const api = await kubectl.ask(['get', 'service', 'kubernetes', '--output', 'jsonpath={.spec.clusterIP}']);
  const at = (name: string, { address }: { address: string }, port: number): Target => ({ name, address, port });
  const control = await controlPod(kubectl, image);
  const listening = kubectl.exec(other, listen, 130_000).catch(() => '');

  const matrix: [from: PodSeen, who: string, Target, expected: 'open' | 'closed'][] = [
    // Controls first: a target that nobody reaches would prove nothing.
    [control, 'a pod without a policy', at('the API server', { address: api.trim() }, 443), 'open'],
    [control, 'a pod without a policy', at('DNS', dns, 53), 'open'],
    [control, 'a pod without a policy', at('the gateway', gateway, 3000), 'open'],
    [control, 'a pod without a policy', at('PostgreSQL', postgres, 5432), 'closed'],
    [control, 'a pod without a policy', at('a sandbox', other, LISTENING.port), 'closed'],
    [lifecycle, 'agent-lifecycle', at('PostgreSQL', postgres, 5432), 'open'],
    [lifecycle, 'agent-lifecycle', at('NATS', nats, 4222), 'open'],
    [lifecycle, 'agent-lifecycle', at('the metadata address', { address: '169.254.169.254' }, 80), 'closed'],
    [other, 'a sandbox', at('itself', other, LISTENING.port), 'open'],
    [one, 'a sandbox', at('NATS', nats, 4222), 'open'],
    [one, 'a sandbox', at('the egress proxy', lifecycle, 3128), 'open'],
    [one, 'a sandbox', at('PostgreSQL', postgres, 5432), 'closed'],
    [one, 'a sandbox', at("NATS' monitor", nats, 8222), 'closed'],
    [one, 'a sandbox', at('the gateway', gateway, 3000), 'closed'],
    [one, 'a sandbox', at('the API server', { address: api.trim() }, 443), 'closed'],
    [one, 'a sandbox', at('DNS', dns, 53), 'closed'],
    [one, 'a sandbox', at('another sandbox', other, LISTENING.port), 'closed'],
    [one, 'a sandbox', at('a pod of another namespace', control, LISTENING.port), 'closed'],
    [one, 'a sandbox', at('the metadata address', { address: '169.254.169.254' }, 80), 'closed'],
  ];
  const wrong: string[] = [];
  for (const [from, who, target, expected] of matrix) {
    const seen = (await kubectl.exec(from, probe(target))).trim();
    say(`  ${who} → ${target.name}: ${seen}`);
    if (seen !== expected) wrong.push(`${who} finds ${target.name} ${seen}, not ${expected}`);
  }
  await kubectl.ask(['delete', 'namespace', CONTROL, '--wait=false']);
  void listening;
  if (wrong.length > 0) throw new Error(`the network is not as docs/security.md says:\n${wrong.join('\n')}`);
}

async function controlPod(kubectl: Kubectl, image: string): Promise<PodSeen> {
  const manifest = {
    apiVersion: 'v1',
    kind: 'List',
    items: [
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name: CONTROL } },
      {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'control', namespace: CONTROL, labels: { app: 'control' } },
        spec: {
          containers: [{ name: 'control', image, imagePullPolicy: 'IfNotPresent', command: listenForever }],
        },
      },
    ],
  };
  await kubectl.ask(['apply', '--filename', '-'], { input: JSON.stringify(manifest) });
  await kubectl.ask(['--namespace', CONTROL, 'wait', 'pod/control', '--for=condition=Ready', '--timeout=120s']);
  return kubectl.pod('app=control', CONTROL);
}
const listenForever = ['node', '-e', "require('net').createServer((s)=>s.end()).listen(8080)"];

export const sandboxOf = (kubectl: Kubectl, agentId: string): Promise<PodSeen> =>
  kubectl.pod(`roost.dev/agent-id=${agentId}`, NAMESPACE);
