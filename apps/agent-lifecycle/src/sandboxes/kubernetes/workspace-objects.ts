import type { V1PersistentVolumeClaim, V1StatefulSet } from '@kubernetes/client-node';
import { quantityBytes } from '#lib/contracts';
import { unavailable } from '../host-errors.js';
import type { WorkspaceSpec } from '../workspace-driver.js';
import type { Cluster } from './cluster.js';
import { dependents, volumeClaim } from './manifests.js';
import { INSTANCE, MANAGED_BY, NETWORK, nameOf } from './names.js';
import { nameTaken, whyPending, whyPodFails } from './reasons.js';
import type { KubernetesSettings } from './settings.js';
import { kinds, type View } from './view.js';
import type { WorkspaceSecrets } from './workspace-secrets.js';

/** For what is deleted or scaled down to be gone. */
export const GONE_TIMEOUT_MS = 60_000;
/** For a change of ours to be seen by the informers. */
const NOTICE_TIMEOUT_MS = 5_000;

/** The objects of workspaces in the cluster: made, changed and deleted by the wanted state, never by steps. */
export class WorkspaceObjects {
  constructor(
    private readonly settings: KubernetesSettings,
    private readonly cluster: Cluster,
    private readonly view: View,
    private readonly secrets: WorkspaceSecrets,
  ) {}

  /**
   * Applies the claim, then everything that it owns. What another attempt left is completed.
   * Returns the set's generation, by which a later change of it is known.
   */
  async make(spec: WorkspaceSpec): Promise<number> {
    const name = this.nameOf(spec.agentId);
    const claim = await this.claimFor(spec, name);
    await Promise.all(
      [kinds.account, kinds.policy, kinds.secret, kinds.set].map(async (kind) => {
        const found = await this.cluster.find(kind, name);
        if (found && !this.isOurs(found)) throw nameTaken(kind.kind, name);
      }),
    );
    const parts = await this.secrets.partsOf(spec.agentId);
    let generation = 0;
    for (const object of dependents(this.settings, spec, claim.metadata?.uid ?? '', parts)) {
      generation = (await this.cluster.apply(object)).metadata?.generation ?? 0;
    }
    return generation;
  }

  /** Returns the generation of the set that shall run nothing; undefined when there is no workspace of ours. */
  async scaleToZero(agentId: string): Promise<number | undefined> {
    const found = await this.cluster.find<V1StatefulSet>(kinds.set, this.nameOf(agentId));
    if (!found || !this.isOurs(found)) return undefined;
    if (found.spec?.replicas === 0) return found.metadata?.generation ?? 0;
    const set = { ...kinds.set, metadata: this.named(agentId), spec: { replicas: 0 } };
    const merged = await this.cluster.merge<V1StatefulSet>(set as V1StatefulSet);
    const version = merged?.metadata?.generation ?? 0;
    // The copy must have seen our own change, or what it returns next is from before.
    await this.view.until(
      () => (this.view.setOf(agentId)?.metadata?.generation ?? version) >= version,
      GONE_TIMEOUT_MS,
    );
    return merged && version;
  }

  /** Deletes the claim and with it everything that it owns; resolves when it is gone. */
  async delete(agentId: string): Promise<void> {
    const name = this.nameOf(agentId);
    const claim = await this.cluster.find<V1PersistentVolumeClaim>(kinds.claim, name);
    if (claim && this.isOurs(claim)) await this.cluster.delete(kinds.claim, name);
    const isGone = () =>
      !this.view.claimOf(agentId) && !this.view.setOf(agentId) && this.view.podOf(agentId) === undefined;
    if (!(await this.view.until(isGone, GONE_TIMEOUT_MS))) {
      throw unavailable(`the volume claim ${name} is still being deleted: is something else using it?`);
    }
  }

  /** Changes the running set's note, which the egress proxies of all replicas go by; its pod is not touched. */
  async noteNetwork({ agentId, network }: WorkspaceSpec): Promise<void> {
    const note = JSON.stringify(network);
    const isNoted = () => this.view.setOf(agentId)?.metadata?.annotations?.[NETWORK] === note;
    if (isNoted()) return;
    await this.cluster.merge<V1StatefulSet>({
      ...kinds.set,
      metadata: { ...this.named(agentId), annotations: { [NETWORK]: note } },
    });
    await this.view.until(isNoted, NOTICE_TIMEOUT_MS);
  }

  /** Why a workspace does not answer though it was given its time. */
  async whyLate(agentId: string): Promise<string> {
    const name = this.nameOf(agentId);
    const events = (await Promise.all([name, `${name}-0`].map((about) => this.cluster.events(about)))).flat();
    const pod = this.view.podOf(agentId);
    return (pod && whyPodFails(pod)) ?? whyPending(pod, this.view.claimOf(agentId), events);
  }

  private async claimFor(spec: WorkspaceSpec, name: string): Promise<V1PersistentVolumeClaim> {
    const find = () => this.cluster.find<V1PersistentVolumeClaim>(kinds.claim, name);
    let found = await find();
    if (found && !this.isOurs(found)) throw nameTaken('PersistentVolumeClaim', name);
    // Of an earlier life of the agent: a new one must not move into it.
    for (const deadline = Date.now() + GONE_TIMEOUT_MS; found?.metadata?.deletionTimestamp && Date.now() < deadline;) {
      await this.view.nextChange(500);
      found = await find();
    }
    if (found?.metadata?.deletionTimestamp) throw unavailable(`the volume claim ${name} is still being deleted`);
    const currentBytes = quantityBytes(String(found?.spec?.resources?.requests?.['storage'] ?? '0')) ?? 0;
    // A volume that is not there yet cannot be enlarged: it is, at the next start, once it is bound.
    if (found && (currentBytes >= spec.volumeBytes || found.status?.phase !== 'Bound')) return found;
    return this.cluster.apply(volumeClaim(this.settings, spec, found));
  }

  private isOurs({ metadata }: { metadata?: { labels?: Record<string, string> } }): boolean {
    const labels = metadata?.labels ?? {};
    return labels[MANAGED_BY] === 'roost' && labels[INSTANCE] === this.settings.instance;
  }

  private named(agentId: string) {
    return { name: this.nameOf(agentId), namespace: this.settings.namespace };
  }

  private nameOf(agentId: string): string {
    return nameOf(this.settings.instance, agentId);
  }
}
