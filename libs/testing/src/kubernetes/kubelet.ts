import type { ObjectStore } from './object-store.js';
import type { Stored } from './objects.js';

/** A container's process as the kubelet sees it. */
export interface PodProcess {
  /** Resolves when it is gone, with its exit code and, where known, why (`OOMKilled`). */
  ended: Promise<{ exitCode: number; reason?: string }>;
  stop(reason?: string): void;
}

/** What a pod is started with. */
export interface PodStart {
  name: string;
  agentId: string;
  /** The claim's uid: the same volume as long as it is the same claim. */
  volumeId: string;
  /** The container's command with its arguments. */
  command: string[];
  /** The files of the pod's Secret. */
  files: Record<string, Buffer>;
}

export type PodFate = 'run' | 'image-pull-back-off' | 'unschedulable';

export interface KubeletOptions {
  store: ObjectStore;
  start(pod: PodStart): PodProcess;
  restartMs: number;
  onChange(): void;
}

const AGENT_LABEL = 'roost.dev/agent-id';

interface Running {
  process: PodProcess;
  volumeId: string;
}

/** Brings pods to life and to their end, and counts what ran at once on one volume. */
export class Kubelet {
  fate: (agentId: string) => PodFate = () => 'run';
  /** Per volume, the most processes that ever ran at the same time. */
  readonly mostAtOnce = new Map<string, number>();
  private readonly running = new Map<string, Running>();
  private readonly begun = new Set<string>();
  private readonly timers = new Set<NodeJS.Timeout>();

  constructor(private readonly options: KubeletOptions) {}

  /** Starts what was scheduled, and ends what was deleted. */
  tend(pod: Stored): void {
    const { uid } = pod.metadata;
    if (pod.metadata.deletionTimestamp !== undefined) return this.end(pod);
    if (this.begun.has(uid) || pod.status?.['phase'] === 'Failed') return;
    const { name, namespace, labels } = pod.metadata;
    const claim = this.options.store.find('persistentvolumeclaims', namespace, claimOf(pod));
    if (claim?.status?.['phase'] !== 'Bound') {
      const what = claim ? 'pod has unbound immediate PersistentVolumeClaims' : 'persistentvolumeclaim not found';
      return this.unscheduled(pod, `0/1 nodes are available: ${what}.`);
    }
    const fate = this.fate(labels?.[AGENT_LABEL] ?? '');
    if (fate === 'unschedulable') return this.unscheduled(pod, '0/1 nodes are available: 1 Insufficient memory.');
    if (fate === 'image-pull-back-off') {
      const waiting = { reason: 'ImagePullBackOff', message: 'Back-off pulling image: not found' };
      return this.report(pod, 'Pending', { waiting });
    }
    const secret = this.options.store.find('secrets', namespace, name.replace(/-0$/, ''));
    if (!secret) return;
    this.begun.add(uid);
    this.start(pod, claim.metadata.uid, 0);
  }

  /** Ends the container's process as the kernel would. */
  kill(agentId: string, reason?: string): boolean {
    const pod = this.podOf(agentId);
    const running = pod && this.running.get(pod.metadata.uid);
    running?.process.stop(reason);
    return running !== undefined;
  }

  /** As a node that runs short of something does: the pod has failed, and stays so until it is deleted. */
  evict(agentId: string): boolean {
    const pod = this.podOf(agentId);
    if (!pod || pod.metadata.deletionTimestamp !== undefined) return false;
    this.options.store.update('pods', {
      ...pod,
      status: { phase: 'Failed', reason: 'Evicted', message: 'The node was low on resource: memory.' },
    });
    this.running.get(pod.metadata.uid)?.process.stop('Evicted');
    return true;
  }

  async close(): Promise<void> {
    for (const timer of this.timers) clearTimeout(timer);
    const ends = [...this.running.values()].map(({ process }) => (process.stop(), process.ended));
    await Promise.all(ends);
  }

  private podOf(agentId: string): Stored | undefined {
    return this.options.store.all('pods').find(({ metadata }) => metadata.labels?.[AGENT_LABEL] === agentId);
  }

  private start(pod: Stored, volumeId: string, restarts: number): void {
    const { name, namespace, uid, labels } = pod.metadata;
    const secret = this.options.store.find('secrets', namespace, name.replace(/-0$/, ''));
    const data = (secret?.['data'] ?? {}) as Record<string, string>;
    const files = Object.fromEntries(Object.entries(data).map(([file, text]) => [file, Buffer.from(text, 'base64')]));
    const process = this.options.start({
      name,
      agentId: labels?.[AGENT_LABEL] ?? '',
      volumeId,
      command: commandOf(pod),
      files,
    });
    this.running.set(uid, { process, volumeId });
    const now = [...this.running.values()].filter((running) => running.volumeId === volumeId).length;
    this.mostAtOnce.set(volumeId, Math.max(now, this.mostAtOnce.get(volumeId) ?? 0));
    this.report(pod, 'Running', { running: { startedAt: new Date().toISOString() } }, restarts);
    void process.ended.then(({ exitCode, reason = 'Error' }) => {
      this.running.delete(uid);
      const current = this.options.store.find('pods', namespace, name);
      if (current?.metadata.uid !== uid) return;
      if (current.metadata.deletionTimestamp !== undefined) return this.options.onChange();
      if (current.status?.['phase'] === 'Failed') return;
      const terminated = { exitCode, reason, finishedAt: new Date().toISOString() };
      this.report(current, 'Running', { waiting: { reason: 'CrashLoopBackOff' } }, restarts + 1, { terminated });
      this.later(this.options.restartMs, () => {
        const still = this.options.store.find('pods', namespace, name);
        if (still?.metadata.uid !== uid || still.metadata.deletionTimestamp !== undefined) return;
        if (still.status?.['phase'] !== 'Failed') this.start(still, volumeId, restarts + 1);
      });
    });
  }

  private end(pod: Stored): void {
    const running = this.running.get(pod.metadata.uid);
    if (running) return running.process.stop();
    this.begun.delete(pod.metadata.uid);
    this.options.store.remove('pods', pod);
  }

  private unscheduled(pod: Stored, message: string): void {
    const conditions = [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message }];
    this.options.store.update('pods', { ...pod, status: { phase: 'Pending', conditions } });
  }

  private report(pod: Stored, phase: string, state: object, restartCount = 0, lastState: object = {}): void {
    const image = ((pod.spec as { containers?: { image?: string }[] }).containers ?? [])[0]?.image ?? '';
    const containerStatuses = [
      { name: 'workspace', image, imageID: '', ready: 'running' in state, restartCount, state, lastState },
    ];
    const current = this.options.store.find('pods', pod.metadata.namespace, pod.metadata.name) ?? pod;
    this.options.store.update('pods', { ...current, status: { phase, containerStatuses } });
  }

  private later(delayMs: number, act: () => void): void {
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      act();
    }, delayMs);
    this.timers.add(timer);
  }
}

function claimOf(pod: Stored): string {
  const { volumes = [] } = pod.spec as { volumes?: { persistentVolumeClaim?: { claimName: string } }[] };
  return volumes.find((volume) => volume.persistentVolumeClaim)?.persistentVolumeClaim?.claimName ?? '';
}

function commandOf(pod: Stored): string[] {
  const { containers = [] } = pod.spec as { containers?: { command?: string[]; args?: string[] }[] };
  return [...(containers[0]?.command ?? []), ...(containers[0]?.args ?? [])];
}
