import { randomUUID } from 'node:crypto';
import { admit, type AdmissionRules } from './admission.js';
import type { Kubelet } from './kubelet.js';
import { CLAIM_FINALIZER, type ObjectStore } from './object-store.js';
import { ApiRefusal, type Metadata, type Plural, type PodSpec, type Stored } from './objects.js';

export type StorageState = 'bound' | 'no-class' | 'pending';

const FOREGROUND = 'foregroundDeletion';

/** What runs in a cluster beside the API server: the set controller, the binder of volumes, the garbage collector. */
export class Controllers {
  storage: StorageState = 'bound';
  rules: AdmissionRules = {};
  /** Whether the storage class has `allowVolumeExpansion`. */
  canExpand = true;
  private isDue = false;
  private isClosed = false;

  constructor(
    private readonly store: ObjectStore,
    private readonly kubelet: () => Kubelet,
  ) {
    store.listeners.add(() => this.soon());
  }

  soon(): void {
    if (this.isDue || this.isClosed) return;
    this.isDue = true;
    setImmediate(() => {
      this.isDue = false;
      if (!this.isClosed) this.round();
    });
  }

  close(): void {
    this.isClosed = true;
  }

  /** Deletes as the API server does: at once where nothing holds it, else when the finalizers are gone. */
  delete(object: Stored, plural: Plural, isForeground: boolean): Stored {
    const finalizers = [...(object.metadata.finalizers ?? [])];
    if (isForeground && !finalizers.includes(FOREGROUND)) finalizers.push(FOREGROUND);
    if (plural !== 'pods' && finalizers.length === 0) return this.store.remove(plural, object);
    const deletionTimestamp = object.metadata.deletionTimestamp ?? new Date().toISOString();
    const metadata = { ...object.metadata, finalizers, deletionTimestamp, deletionGracePeriodSeconds: 0 };
    return this.store.update(plural, { ...object, metadata });
  }

  private round(): void {
    for (const claim of this.store.all('persistentvolumeclaims')) this.bind(claim);
    for (const set of this.store.all('statefulsets')) this.scale(set);
    for (const pod of this.store.all('pods')) this.kubelet().tend(pod);
    this.collectGarbage();
  }

  private bind(claim: Stored): void {
    if (claim.metadata.deletionTimestamp !== undefined) return;
    const { resources } = claim.spec as { resources: { requests: unknown } };
    const isBound = this.storage === 'bound' || claim.status?.['phase'] === 'Bound';
    const status = isBound ? { phase: 'Bound', capacity: resources.requests } : { phase: 'Pending' };
    this.store.update('persistentvolumeclaims', { ...claim, status });
    const noted: Record<StorageState, [string, string] | undefined> = {
      bound: undefined,
      'no-class': ['FailedBinding', 'no persistent volumes available for this claim and no storage class is set'],
      pending: ['ExternalProvisioning', 'Waiting for a volume to be created by the external provisioner'],
    };
    const note = noted[this.storage];
    if (note && !isBound) this.event(claim, ...note);
  }

  private scale(set: Stored): void {
    const { name, namespace, uid } = set.metadata;
    if (set.metadata.deletionTimestamp !== undefined) return;
    const { replicas = 1, template } = set.spec as { replicas?: number; template: { metadata: object; spec: PodSpec } };
    const pod = this.store.find('pods', namespace, `${name}-0`);
    const isOwn = pod?.metadata.ownerReferences?.some((owner) => owner.uid === uid);
    if (pod && isOwn && pod.metadata.deletionTimestamp === undefined) {
      if (replicas === 0 || pod.status?.['phase'] === 'Failed') this.delete(pod, 'pods', false);
    } else if (!pod && replicas > 0) {
      const metadata: Partial<Metadata> = {
        ...template.metadata,
        name: `${name}-0`,
        namespace,
        labels: { ...(template.metadata as Metadata).labels, 'statefulset.kubernetes.io/pod-name': `${name}-0` },
        ownerReferences: [{ apiVersion: 'apps/v1', kind: 'StatefulSet', name, uid, blockOwnerDeletion: true }],
      };
      try {
        admit(this.store, this.rules, 'pods', `${name}-0`, template.spec);
        this.store.create('pods', { apiVersion: 'v1', kind: 'Pod', metadata, spec: { ...template.spec } });
      } catch (error) {
        if (!(error instanceof ApiRefusal)) throw error;
        this.event(set, 'FailedCreate', `create Pod ${name}-0 in StatefulSet ${name} failed error: ${error.message}`);
      }
    }
    const current = this.store.find('statefulsets', namespace, name);
    if (!current) return;
    const status = { observedGeneration: current.metadata.generation, replicas: pod ? 1 : 0 };
    this.store.update('statefulsets', { ...current, status });
  }

  private collectGarbage(): void {
    const all = this.store.everything();
    const alive = new Map(all.map(({ object }) => [object.metadata.uid, object]));
    for (const { plural, object: seen } of all) {
      const object = this.store.find(plural, seen.metadata.namespace, seen.metadata.name);
      if (object?.metadata.uid !== seen.metadata.uid) continue;
      const owners = object.metadata.ownerReferences ?? [];
      const isDeleting = object.metadata.deletionTimestamp !== undefined;
      const isOrphan = owners.length > 0 && owners.every(({ uid }) => !alive.has(uid));
      const isDoomed = owners.some(({ uid }) => alive.get(uid)?.metadata.finalizers?.includes(FOREGROUND));
      if ((isOrphan || isDoomed) && !isDeleting) this.delete(object, plural, isDoomed && plural !== 'pods');
      if (isDeleting) this.release(plural, object);
    }
  }

  private release(plural: Plural, object: Stored): void {
    const { uid, name, finalizers = [] } = object.metadata;
    const hasDependents = this.store
      .everything()
      .some(({ object: other }) => other.metadata.ownerReferences?.some((o) => o.uid === uid));
    const isUsed = this.store.all('pods').some((pod) => pod.metadata.name === `${name}-0`);
    const left = finalizers.filter(
      (finalizer) => (finalizer === FOREGROUND && hasDependents) || (finalizer === CLAIM_FINALIZER && isUsed),
    );
    if (left.length === finalizers.length) return;
    this.store.update(plural, { ...object, metadata: { ...object.metadata, finalizers: left } });
  }

  private event(about: Stored, reason: string, message: string): void {
    const { name, namespace } = about.metadata;
    const isKnown = this.store
      .all('events')
      .some((event) => event['reason'] === reason && event['message'] === message && involved(event) === name);
    if (isKnown) return;
    this.store.create('events', {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: `event-${randomUUID()}`, namespace },
      involvedObject: { kind: about.kind, name, namespace },
      reason,
      message,
      lastTimestamp: new Date().toISOString(),
    });
  }
}

export function involved(event: Stored): string {
  return (event['involvedObject'] as { name?: string } | undefined)?.name ?? '';
}
