import ipaddr from 'ipaddr.js';
import type { Manifest } from '#tools/helm';

export interface Pod {
  namespace: string;
  labels: Record<string, string>;
  address: string;
  /** Its container ports that have names. */
  ports?: Record<string, number>;
}
/** What is not of the cluster: the internet, the API server, a node. */
export interface Outside {
  address: string;
}
export type Peer = Pod | Outside;

interface Selector {
  matchLabels?: Record<string, string>;
  matchExpressions?: { key: string; operator: string; values?: string[] }[];
}
interface PolicyPeer {
  podSelector?: Selector;
  namespaceSelector?: Selector;
  ipBlock?: { cidr: string; except?: string[] };
}
interface PolicyPort {
  protocol?: string;
  port?: number | string;
  endPort?: number;
}
export interface PolicyRule {
  ports?: PolicyPort[];
  from?: PolicyPeer[];
  to?: PolicyPeer[];
}
export interface Policy {
  metadata: { name: string; namespace?: string };
  spec: { podSelector: Selector; policyTypes?: string[]; ingress?: PolicyRule[]; egress?: PolicyRule[] };
}

export interface Port {
  port: number;
  protocol: 'TCP' | 'UDP';
}

export interface NetworkOptions {
  policies: Policy[];
  /** The labels of each namespace; each has `kubernetes.io/metadata.name` besides, as the API server sets it. */
  namespaces: Record<string, Record<string, string>>;
  /** That of policies that name none. */
  namespace: string;
  /**
   * Whether an ipBlock lets pods in whose addresses are in it: the API leaves that to the network plugin
   * (https://kubernetes.io/docs/concepts/services-networking/network-policies/#behavior-of-to-and-from-selectors).
   */
  doBlocksHoldPods: boolean;
}

/**
 * Who reaches whom by NetworkPolicies, as networking.k8s.io/v1 defines them: a pod that no policy selects for a direction is
 * open in it, else what any of its policies allows is allowed, and both ends have to allow a connection.
 */
export class Network {
  private readonly selecting = new Map<Pod, Policy[]>();

  constructor(private readonly options: NetworkOptions) {}

  reaches(from: Peer, to: Peer, port: Port): boolean {
    return this.allows(from, 'egress', to, port, to) && this.allows(to, 'ingress', from, port, to);
  }

  private allows(of: Peer, direction: 'ingress' | 'egress', other: Peer, port: Port, target: Peer): boolean {
    if (!isPod(of)) return true;
    const mine = this.policiesOf(of).filter((policy) => typesOf(policy).includes(direction));
    if (mine.length === 0) return true;
    return mine.some((policy) =>
      (policy.spec[direction] ?? []).some((rule) => {
        const peers = rule.from ?? rule.to ?? [];
        return (
          hasPort(rule.ports, port, target) &&
          (peers.length === 0 || peers.some((peer) => this.isPeer(peer, other, this.namespaceOf(policy))))
        );
      }),
    );
  }

  private policiesOf(pod: Pod): Policy[] {
    const known = this.selecting.get(pod);
    if (known) return known;
    const mine = this.options.policies.filter(
      (policy) => this.namespaceOf(policy) === pod.namespace && selects(policy.spec.podSelector, pod.labels),
    );
    this.selecting.set(pod, mine);
    return mine;
  }

  private isPeer({ podSelector, namespaceSelector, ipBlock }: PolicyPeer, other: Peer, namespace: string): boolean {
    if (ipBlock) {
      if (isPod(other) && !this.options.doBlocksHoldPods) return false;
      return isIn(ipBlock.cidr, other.address) && !(ipBlock.except ?? []).some((cidr) => isIn(cidr, other.address));
    }
    if (!isPod(other)) return false;
    const isNamespace = namespaceSelector
      ? selects(namespaceSelector, this.labelsOf(other.namespace))
      : other.namespace === namespace;
    return isNamespace && (!podSelector || selects(podSelector, other.labels));
  }

  private labelsOf(namespace: string): Record<string, string> {
    return { ...this.options.namespaces[namespace], 'kubernetes.io/metadata.name': namespace };
  }

  private namespaceOf({ metadata }: Policy): string {
    return metadata.namespace ?? this.options.namespace;
  }
}

export const isPolicy = (manifest: Manifest): boolean => manifest.kind === 'NetworkPolicy';

const isPod = (peer: Peer): peer is Pod => 'namespace' in peer;

/** Egress counts where no types are given only if there are egress rules. */
function typesOf({ spec }: Policy): string[] {
  return (spec.policyTypes ?? ['Ingress', ...(spec.egress ? ['Egress'] : [])]).map((type) => type.toLowerCase());
}

function selects({ matchLabels = {}, matchExpressions = [] }: Selector, labels: Record<string, string>): boolean {
  return (
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
    matchExpressions.every(({ key, operator, values = [] }) => {
      const value = labels[key];
      switch (operator) {
        case 'In':
          return value !== undefined && values.includes(value);
        case 'NotIn':
          return value === undefined || !values.includes(value);
        case 'Exists':
          return value !== undefined;
        case 'DoesNotExist':
          return value === undefined;
        default:
          throw new Error(`there is no operator ${operator}`);
      }
    })
  );
}

function hasPort(ports: PolicyPort[] | undefined, { port, protocol }: Port, target: Peer): boolean {
  if (!ports || ports.length === 0) return true;
  return ports.some(({ protocol: allowed = 'TCP', port: first, endPort }) => {
    if (allowed !== protocol) return false;
    if (first === undefined) return true;
    const number = typeof first === 'string' ? isPod(target) && target.ports?.[first] : first;
    return typeof number === 'number' && port >= number && port <= (endPort ?? number);
  });
}

const answers = new Map<string, boolean>();
/** Remembered: the same few questions are asked thousands of times. */
function isIn(cidr: string, address: string): boolean {
  const key = `${cidr} ${address}`;
  const known = answers.get(key);
  if (known !== undefined) return known;
  const [parsed, range] = [ipaddr.parse(address), ipaddr.parseCIDR(cidr)];
  const answer = parsed.kind() === range[0].kind() && parsed.match(range);
  answers.set(key, answer);
  return answer;
}
