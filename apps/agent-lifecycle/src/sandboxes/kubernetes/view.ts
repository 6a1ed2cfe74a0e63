import type { KubeConfig, V1PersistentVolumeClaim, V1Pod, V1Secret, V1StatefulSet } from '@kubernetes/client-node';
import type { WorkspaceStatus } from '../workspace-driver.js';
import type { Cluster } from './cluster.js';
import { Informer } from './informer.js';
import { AGENT, nameOf, selectorOf } from './names.js';
import { whyPodFails } from './reasons.js';

export const kinds = {
  claim: { apiVersion: 'v1', kind: 'PersistentVolumeClaim' },
  account: { apiVersion: 'v1', kind: 'ServiceAccount' },
  secret: { apiVersion: 'v1', kind: 'Secret' },
  policy: { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy' },
  set: { apiVersion: 'apps/v1', kind: 'StatefulSet' },
  pod: { apiVersion: 'v1', kind: 'Pod' },
} as const;

export interface ViewOptions {
  client: typeof import('@kubernetes/client-node');
  config: KubeConfig;
  cluster: Cluster;
  namespace: string;
  instance: string;
  silenceMs?: number | undefined;
  onTrouble(error: unknown): void;
}

/** What the cluster holds of ours, as the informers saw it last. */
export class View {
  private readonly claims: Informer<V1PersistentVolumeClaim>;
  private readonly sets: Informer<V1StatefulSet>;
  private readonly pods: Informer<V1Pod>;
  private readonly secrets: Informer<V1Secret>;
  private readonly waiting = new Set<() => void>();

  constructor(private readonly options: ViewOptions) {
    const { namespace } = options;
    const common = {
      ...options,
      selector: selectorOf(options.instance),
      onChange: () => {
        for (const wake of [...this.waiting]) wake();
      },
    };
    const core = `/api/v1/namespaces/${namespace}`;
    this.claims = new Informer({ ...common, kind: kinds.claim, path: `${core}/persistentvolumeclaims` });
    this.sets = new Informer({
      ...common,
      kind: kinds.set,
      path: `/apis/apps/v1/namespaces/${namespace}/statefulsets`,
    });
    this.pods = new Informer({ ...common, kind: kinds.pod, path: `${core}/pods` });
    this.secrets = new Informer({ ...common, kind: kinds.secret, path: `${core}/secrets` });
  }

  /** Resolves when every first list is here. */
  async ready(): Promise<void> {
    await Promise.all([this.claims, this.sets, this.pods, this.secrets].map((informer) => informer.ready()));
  }

  close(): void {
    for (const informer of [this.claims, this.sets, this.pods, this.secrets]) informer.close();
  }

  claimOf(agentId: string): V1PersistentVolumeClaim | undefined {
    return this.claims.objects.get(this.nameOf(agentId));
  }

  setOf(agentId: string): V1StatefulSet | undefined {
    return this.sets.objects.get(this.nameOf(agentId));
  }

  podOf(agentId: string): V1Pod | undefined {
    return this.pods.objects.get(`${this.nameOf(agentId)}-0`);
  }

  /** The mounted credentials of workspaces that should run. */
  secretsInUse(): { agentId: string; secret: V1Secret }[] {
    return [...this.secrets.objects.values()].flatMap((secret) => {
      const agentId = secret.metadata?.labels?.[AGENT];
      return agentId !== undefined && this.setOf(agentId)?.spec?.replicas === 1 ? [{ agentId, secret }] : [];
    });
  }

  agentIds(): string[] {
    return [...this.claims.objects.values()]
      .filter(({ metadata }) => metadata?.deletionTimestamp === undefined)
      .flatMap(({ metadata }) => metadata?.labels?.[AGENT] ?? []);
  }

  statusOf(agentId: string): WorkspaceStatus {
    const set = this.setOf(agentId);
    if (set?.spec?.replicas !== 1) return { state: 'asleep' };
    const pod = this.podOf(agentId);
    if (!pod || pod.metadata?.deletionTimestamp !== undefined) return { state: 'starting' };
    const reason = whyPodFails(pod);
    if (reason !== undefined) return { state: 'failed', reason };
    return { state: isUp(pod) ? 'running' : 'starting' };
  }

  /** Nothing of the workspace runs, and Kubernetes knows that nothing shall. */
  isAtRest(agentId: string): boolean {
    const set = this.setOf(agentId);
    const hasObserved = (set?.status?.observedGeneration ?? 0) >= (set?.metadata?.generation ?? 0);
    return this.podOf(agentId) === undefined && (!set || (set.spec?.replicas === 0 && hasObserved));
  }

  /** Whether the set was set to run `replicas` pods by a change that came after generation `after`. */
  isScaled(agentId: string, replicas: 0 | 1, after: number): boolean {
    const set = this.setOf(agentId);
    return set?.spec?.replicas === replicas && (set.metadata?.generation ?? 0) > after;
  }

  /** Checks again at each change, and once a second; false when the time is over. */
  async until(check: () => boolean, timeoutMs: number): Promise<boolean> {
    for (const deadline = Date.now() + timeoutMs; !check();) {
      if (Date.now() > deadline) return false;
      await this.nextChange(Math.min(1_000, timeoutMs));
    }
    return true;
  }

  /** Resolves at the next change, or when the time is over. */
  async nextChange(timeoutMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const go = () => {
        clearTimeout(timer);
        this.waiting.delete(go);
        resolve();
      };
      const timer = setTimeout(go, timeoutMs);
      this.waiting.add(go);
    });
  }

  private nameOf(agentId: string): string {
    return nameOf(this.options.instance, agentId);
  }
}

function isUp({ status }: V1Pod): boolean {
  return status?.phase === 'Running' && status.containerStatuses?.[0]?.state?.running !== undefined;
}
