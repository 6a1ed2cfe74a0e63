import type { KubeConfig, V1PersistentVolumeClaim, V1StatefulSet } from '@kubernetes/client-node';
import { quantityBytes } from '#lib/contracts';
import type { NatsConnection } from '@nats-io/transport-node';
import { answersPing } from '../answers-ping.js';
import { AgentProxies, type AgentProxiesOptions } from '../egress/agent-proxies.js';
import type {
  NetworkLogEntry,
  NetworkPolicy,
  WorkspaceDriver,
  WorkspaceSpec,
  WorkspaceStatus,
} from '../workspace-driver.js';
import { Cluster } from './cluster.js';
import { EgressService, EgressTokens } from './egress-service.js';
import { dependents, volumeClaim } from './manifests.js';
import { INSTANCE, MANAGED_BY, NETWORK, nameOf } from './names.js';
import { apiError, nameTaken, whyPending, whyPodFails } from './reasons.js';
import { unavailable } from '../unavailable.js';
import { kinds, View } from './view.js';
import { WorkspaceSecrets, type WorkspaceSecretsOptions } from './workspace-secrets.js';

export interface KubernetesDriverOptions extends AgentProxiesOptions, WorkspaceSecretsOptions {
  client: typeof import('@kubernetes/client-node');
  config: KubeConfig;
  /** Signs the egress tokens of workspaces. */
  accountSeed: string;
  /** Where this replica's egress proxy listens. */
  egress: { host: string; port: number };
  nats: NatsConnection;
  logger: { warn(fields: object, message: string): void; info(fields: object, message: string): void };
  /** For how long the API server may be away before a request is given up. */
  patienceMs?: number | undefined;
  silenceMs?: number | undefined;
}

const renewEveryMs = 60_000;
const goneTimeoutMs = 60_000;
const noticeTimeoutMs = 5_000;
/** A failing pod is given this long: a first pull often fails and the second succeeds. */
const maxFailingGraceMs = 3_000;

/**
 * Workspaces as pods of one namespace: per agent a volume claim, and owned by it a StatefulSet of 0 or 1, a Secret with
 * the agent's own bus credentials, a network policy and an account without a token. Several replicas of the service may
 * work on the same workspaces: every request says what shall be.
 */
export class KubernetesWorkspaceDriver implements WorkspaceDriver {
  readonly whyNever = undefined;
  private readonly cluster: Cluster;
  private readonly view: View;
  private readonly egress: EgressService;
  private readonly proxies: AgentProxies;
  private readonly secrets: WorkspaceSecrets;
  private readonly starting = new Map<string, Promise<void>>();
  private readonly policies = new Map<string, NetworkPolicy>();
  private readonly failures = new Map<string, string>();
  /** Those that this replica woke. */
  private readonly awake = new Set<string>();
  private readonly renewal: NodeJS.Timeout;
  private listening: Promise<unknown> | undefined;
  private isClosed = false;

  constructor(private readonly options: KubernetesDriverOptions) {
    const { client, config, settings, logger, patienceMs, silenceMs } = options;
    const { namespace, instance } = settings;
    this.cluster = new Cluster({ client, config, namespace, patienceMs });
    this.view = new View({
      client,
      config,
      cluster: this.cluster,
      namespace,
      instance,
      silenceMs,
      onTrouble: (error) => logger.warn({ err: error }, 'the Kubernetes API cannot be watched; it is tried again'),
    });
    this.proxies = new AgentProxies(options, (agentId) => this.policyOf(agentId));
    const tokens = new EgressTokens(options.accountSeed);
    this.secrets = new WorkspaceSecrets(options, tokens, this.cluster, this.view);
    this.egress = new EgressService({
      ...options.egress,
      tokens,
      onConnection: (agentId, stream) => this.proxies.open(agentId).accept(stream),
    });
    this.listening = this.egress.listen();
    this.listening.catch((error: unknown) => logger.warn({ err: error }, 'the egress proxy cannot listen'));
    this.renewal = setInterval(() => void this.secrets.renew(), renewEveryMs).unref();
  }

  async ensure(spec: WorkspaceSpec): Promise<void> {
    const { agentId } = spec;
    this.policies.set(agentId, spec.network);
    const underWay = this.starting.get(agentId);
    if (underWay) return underWay;
    const start = this.wake(spec).finally(() => this.starting.delete(agentId));
    this.starting.set(agentId, start);
    return start;
  }

  async sleep(agentId: string): Promise<void> {
    await this.starting.get(agentId)?.catch(() => undefined);
    this.awake.delete(agentId);
    try {
      const asleep = await this.scaleToZero(agentId);
      if (asleep === undefined) return;
      // Another replica may wake it again meanwhile: then it will not come to rest, and its sleep is over.
      const isDone = () => this.view.isAtRest(agentId) || this.view.isScaled(agentId, 1, asleep);
      if (!(await this.view.until(isDone, goneTimeoutMs)))
        throw unavailable(`the pod of the workspace does not end within ${goneTimeoutMs / 1_000} seconds`);
    } catch (error) {
      throw apiError(error);
    }
  }

  async remove(agentId: string): Promise<void> {
    await this.starting.get(agentId)?.catch(() => undefined);
    this.awake.delete(agentId);
    this.failures.delete(agentId);
    this.policies.delete(agentId);
    const name = this.nameOf(agentId);
    try {
      const claim = await this.cluster.find<V1PersistentVolumeClaim>(kinds.claim, name);
      if (claim && this.isOurs(claim)) await this.cluster.delete(kinds.claim, name);
      const isGone = () =>
        !this.view.claimOf(agentId) && !this.view.setOf(agentId) && this.view.podOf(agentId) === undefined;
      if (!(await this.view.until(isGone, goneTimeoutMs))) {
        throw unavailable(`the volume claim ${name} is still being deleted: is something else using it?`);
      }
    } catch (error) {
      throw apiError(error);
    }
    await this.proxies.removeLog(agentId);
  }

  async inspect(agentId: string): Promise<WorkspaceStatus> {
    await this.view.ready();
    return this.statusOf(agentId);
  }

  async list(): Promise<{ agentId: string; state: WorkspaceStatus['state'] }[]> {
    await this.view.ready();
    return this.view.agentIds().map((agentId) => ({ agentId, state: this.statusOf(agentId).state }));
  }

  networkLog(agentId: string, limit: number): Promise<NetworkLogEntry[]> {
    return this.proxies.networkLog(agentId, limit);
  }

  isolation(): Promise<Record<string, string>> {
    const { runtimeClassName, storageClass } = this.options.settings;
    return Promise.resolve({
      runtime: `kubernetes pod${runtimeClassName ? ` (${runtimeClassName})` : ''}`,
      limits: 'cgroup of the pod',
      volumes: `volume claims${storageClass ? ` of ${storageClass}` : ''}, measured`,
      users: 'uid 1000 of the pod',
      syscalls: 'RuntimeDefault',
    });
  }

  async close(): Promise<void> {
    this.isClosed = true;
    clearInterval(this.renewal);
    await Promise.allSettled([...this.starting.values()]);
    await Promise.allSettled([...this.awake].map((agentId) => this.scaleToZero(agentId)));
    this.view.close();
    await this.listening?.catch(() => undefined);
    await this.egress.close();
  }

  private statusOf(agentId: string): WorkspaceStatus {
    if (this.starting.has(agentId)) return { state: 'starting' };
    const seen = this.view.statusOf(agentId);
    const reason = this.failures.get(agentId);
    return seen.state === 'asleep' && reason !== undefined ? { state: 'failed', reason } : seen;
  }

  private async wake(spec: WorkspaceSpec): Promise<void> {
    const { agentId } = spec;
    if (this.isClosed) throw unavailable('Roost is shutting down');
    try {
      await this.listening;
      await this.view.ready();
      if (this.view.statusOf(agentId).state === 'running' && (await answersPing(this.options.nats, agentId))) {
        await this.noteNetwork(spec);
      } else {
        await this.untilAwake(spec, await this.make(spec));
      }
      this.awake.add(agentId);
      this.failures.delete(agentId);
    } catch (error) {
      const known = apiError(error);
      this.failures.set(agentId, known.message);
      // A pod that may come up later, unasked, would be a workspace that nobody counts.
      await this.scaleToZero(agentId).catch(() => undefined);
      throw known;
    }
  }

  /**
   * Applies the claim, then everything that it owns. What another attempt left is completed.
   * Returns the set's generation, by which a later change of it is known.
   */
  private async make(spec: WorkspaceSpec): Promise<number> {
    const { settings } = this.options;
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
    for (const object of dependents(settings, spec, claim.metadata?.uid ?? '', parts)) {
      generation = (await this.cluster.apply(object)).metadata?.generation ?? 0;
    }
    return generation;
  }

  private async claimFor(spec: WorkspaceSpec, name: string): Promise<V1PersistentVolumeClaim> {
    const find = () => this.cluster.find<V1PersistentVolumeClaim>(kinds.claim, name);
    let found = await find();
    if (found && !this.isOurs(found)) throw nameTaken('PersistentVolumeClaim', name);
    // Of an earlier life of the agent: a new one must not move into it.
    for (const deadline = Date.now() + goneTimeoutMs; found?.metadata?.deletionTimestamp && Date.now() < deadline;) {
      await this.view.nextChange(500);
      found = await find();
    }
    if (found?.metadata?.deletionTimestamp) throw unavailable(`the volume claim ${name} is still being deleted`);
    const currentBytes = quantityBytes(String(found?.spec?.resources?.requests?.['storage'] ?? '0')) ?? 0;
    if (found && currentBytes >= spec.volumeBytes) return found;
    return this.cluster.apply(volumeClaim(this.options.settings, spec, currentBytes));
  }

  /**
   * Resolves when the pod answers. What another replica puts to sleep since generation `made` of the set is made again:
   * who asked for it cannot know of that, and looks afterwards whether the agent may run at all.
   */
  private async untilAwake(spec: WorkspaceSpec, made: number): Promise<void> {
    const { agentId } = spec;
    const { startTimeoutMs } = this.options.settings;
    const graceMs = Math.min(maxFailingGraceMs, startTimeoutMs / 4);
    let failingSince: number | undefined;
    for (const deadline = Date.now() + startTimeoutMs; Date.now() < deadline;) {
      if (this.isClosed) throw unavailable('Roost is shutting down');
      if (this.view.isScaled(agentId, 0, made)) made = await this.make(spec);
      const pod = this.view.podOf(agentId);
      if (this.view.statusOf(agentId).state === 'running' && (await answersPing(this.options.nats, agentId))) return;
      const reason = pod && whyPodFails(pod);
      if (reason === undefined) failingSince = undefined;
      else failingSince ??= Date.now();
      if (reason !== undefined && failingSince !== undefined && Date.now() - failingSince > graceMs) {
        throw unavailable(reason);
      }
      await this.view.nextChange(50);
    }
    throw unavailable(await this.whyLate(agentId));
  }

  private async whyLate(agentId: string): Promise<string> {
    const name = this.nameOf(agentId);
    const events = (await Promise.all([name, `${name}-0`].map((about) => this.cluster.events(about)))).flat();
    const pod = this.view.podOf(agentId);
    return (pod && whyPodFails(pod)) ?? whyPending(pod, this.view.claimOf(agentId), events);
  }

  /** Changes the running set's note, which the egress proxies of all replicas go by; its pod is not touched. */
  private async noteNetwork({ agentId, network }: WorkspaceSpec): Promise<void> {
    const note = JSON.stringify(network);
    const isNoted = () => this.view.setOf(agentId)?.metadata?.annotations?.[NETWORK] === note;
    if (isNoted()) return;
    await this.cluster.merge<V1StatefulSet>({
      ...kinds.set,
      metadata: { ...this.named(agentId), annotations: { [NETWORK]: note } },
    });
    await this.view.until(isNoted, noticeTimeoutMs);
  }

  /** Returns the generation of the set that shall run nothing; undefined when there is no workspace of ours. */
  private async scaleToZero(agentId: string): Promise<number | undefined> {
    const found = await this.cluster.find<V1StatefulSet>(kinds.set, this.nameOf(agentId));
    if (!found || !this.isOurs(found)) return undefined;
    if (found.spec?.replicas === 0) return found.metadata?.generation ?? 0;
    const set = { ...kinds.set, metadata: this.named(agentId), spec: { replicas: 0 } };
    const merged = await this.cluster.merge<V1StatefulSet>(set as V1StatefulSet);
    const version = merged?.metadata?.generation ?? 0;
    // The copy must have seen our own change, or what it says next is of before.
    await this.view.until(() => (this.view.setOf(agentId)?.metadata?.generation ?? version) >= version, goneTimeoutMs);
    return merged && version;
  }

  /** Another replica may have been told of a change: its note on the set is newer than what we were told. */
  private policyOf(agentId: string): NetworkPolicy {
    const note = this.view.setOf(agentId)?.metadata?.annotations?.[NETWORK];
    if (note === undefined) return this.policies.get(agentId) ?? { mode: 'none' };
    return JSON.parse(note) as NetworkPolicy;
  }

  private isOurs({ metadata }: { metadata?: { labels?: Record<string, string> } }): boolean {
    const labels = metadata?.labels ?? {};
    return labels[MANAGED_BY] === 'roost' && labels[INSTANCE] === this.options.settings.instance;
  }

  private named(agentId: string) {
    return { name: this.nameOf(agentId), namespace: this.options.settings.namespace };
  }

  private nameOf(agentId: string): string {
    return nameOf(this.options.settings.instance, agentId);
  }
}
