import type { KubeConfig, V1PersistentVolumeClaim, V1Secret, V1StatefulSet } from '@kubernetes/client-node';
import { ownCall, requestOverNats } from '#lib/bus/rpc';
import { pingWorkspace, quantityBytes } from '#lib/contracts';
import type { NatsConnection } from '@nats-io/transport-node';
import { randomUUID } from 'node:crypto';
import { lookup } from 'node:dns/promises';
import { EgressLog } from '../egress/egress-log.js';
import { EgressProxy } from '../egress/egress-proxy.js';
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
import { CREDENTIALS_END, INSTANCE, MANAGED_BY, NETWORK, nameOf } from './names.js';
import { apiError, nameTaken, whyPending, whyPodFails } from './reasons.js';
import type { KubernetesSettings } from './settings.js';
import { unavailable } from './unavailable.js';
import { kinds, View } from './view.js';

export interface KubernetesDriverOptions {
  client: typeof import('@kubernetes/client-node');
  config: KubeConfig;
  settings: KubernetesSettings;
  /** Signs the bus credentials and the egress tokens of workspaces. */
  accountSeed: string;
  /** Bus credentials of one workspace, good for `credentialsTtlSeconds`. */
  mintCredentials(agentId: string): Promise<string>;
  credentialsTtlSeconds: number;
  /** Where this replica's egress proxy listens. */
  egress: { host: string; port: number };
  egressAllowedRanges?: string[] | undefined;
  /** Holds the network logs. */
  dataDir: string;
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
  private readonly egressLog: EgressLog;
  private readonly tokens: EgressTokens;
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
    this.egressLog = new EgressLog(options.dataDir);
    this.tokens = new EgressTokens(options.accountSeed);
    this.egress = new EgressService({
      ...options.egress,
      tokens: this.tokens,
      onConnection: (agentId, stream) => this.proxyFor(agentId).accept(stream),
    });
    this.listening = this.egress.listen();
    this.listening.catch((error: unknown) => logger.warn({ err: error }, 'the egress proxy cannot listen'));
    this.renewal = setInterval(() => void this.renewCredentials(), renewEveryMs).unref();
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
      if (!(await this.scaleToZero(agentId))) return;
      const isGone = await this.view.until(() => this.view.isAtRest(agentId), goneTimeoutMs);
      if (!isGone) throw unavailable(`the pod of the workspace does not end within ${goneTimeoutMs / 1_000} seconds`);
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
    await this.egressLog.remove(agentId);
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
    return this.egressLog.latest(agentId, limit);
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
      if (this.view.statusOf(agentId).state === 'running' && (await this.answers(agentId))) {
        await this.noteNetwork(spec);
      } else {
        await this.make(spec);
        await this.untilAwake(agentId);
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

  /** Applies the claim, then everything that it owns. What another attempt left is completed. */
  private async make(spec: WorkspaceSpec): Promise<void> {
    const { settings } = this.options;
    const name = this.nameOf(spec.agentId);
    const claim = await this.claimFor(spec, name);
    await Promise.all(
      [kinds.account, kinds.policy, kinds.secret, kinds.set].map(async (kind) => {
        const found = await this.cluster.find(kind, name);
        if (found && !this.isOurs(found)) throw nameTaken(kind.kind, name);
      }),
    );
    const parts = await this.secretParts(spec.agentId);
    for (const object of dependents(settings, spec, claim.metadata?.uid ?? '', parts)) await this.cluster.apply(object);
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

  private async untilAwake(agentId: string): Promise<void> {
    const { startTimeoutMs } = this.options.settings;
    const graceMs = Math.min(maxFailingGraceMs, startTimeoutMs / 4);
    let failingSince: number | undefined;
    for (const deadline = Date.now() + startTimeoutMs; Date.now() < deadline;) {
      if (this.isClosed) throw unavailable('Roost is shutting down');
      const pod = this.view.podOf(agentId);
      if (this.view.statusOf(agentId).state === 'running' && (await this.answers(agentId))) return;
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

  /** Whether there is a workspace of ours to wait for. */
  private async scaleToZero(agentId: string): Promise<boolean> {
    const found = await this.cluster.find<V1StatefulSet>(kinds.set, this.nameOf(agentId));
    if (!found || !this.isOurs(found)) return false;
    if (found.spec?.replicas === 0) return true;
    const set = { ...kinds.set, metadata: this.named(agentId), spec: { replicas: 0 } };
    const merged = await this.cluster.merge<V1StatefulSet>(set as V1StatefulSet);
    const version = merged?.metadata?.generation ?? 0;
    // The copy must have seen our own change, or what it says next is of before.
    await this.view.until(() => (this.view.setOf(agentId)?.metadata?.generation ?? version) >= version, goneTimeoutMs);
    return merged !== undefined;
  }

  private async secretParts(agentId: string) {
    const { bus, egress } = this.options.settings;
    const address = async (host: string) => (await lookup(host)).address;
    return {
      credentials: await this.options.mintCredentials(agentId),
      endsAt: Math.floor(Date.now() / 1_000) + this.options.credentialsTtlSeconds,
      egressToken: this.tokens.of(agentId),
      addresses: { bus: await address(bus.host), egress: await address(egress.host) },
    };
  }

  /** Mounts new credentials long before the old ones end; the daemon reads them when it connects again. */
  private async renewCredentials(): Promise<void> {
    const { credentialsTtlSeconds, logger } = this.options;
    const soon = Date.now() / 1_000 + credentialsTtlSeconds / 2;
    for (const { agentId, secret: mounted } of this.view.secretsInUse()) {
      if (Number(mounted.metadata?.annotations?.[CREDENTIALS_END] ?? 0) > soon) continue;
      try {
        const { credentials, endsAt } = await this.secretParts(agentId);
        await this.cluster.merge<V1Secret>({
          ...kinds.secret,
          metadata: { ...this.named(agentId), annotations: { [CREDENTIALS_END]: String(endsAt) } },
          data: { 'bus.creds': Buffer.from(credentials).toString('base64') },
        });
      } catch (error) {
        logger.warn({ agentId, err: error }, 'bus credentials could not be renewed; it is tried again');
      }
    }
  }

  private proxyFor(agentId: string): EgressProxy {
    return new EgressProxy({
      policy: () => this.policyOf(agentId),
      guard: { schemes: ['http', 'https'], allowedRanges: this.options.egressAllowedRanges ?? [] },
      onAccess: (entry) => {
        this.egressLog
          .append(agentId, entry)
          .catch((error: unknown) =>
            this.options.logger.warn({ agentId, err: error }, 'the network log could not be written'),
          );
      },
    });
  }

  /** Another replica may have been told of a change: its note on the set is newer than what we were told. */
  private policyOf(agentId: string): NetworkPolicy {
    const note = this.view.setOf(agentId)?.metadata?.annotations?.[NETWORK];
    if (note === undefined) return this.policies.get(agentId) ?? { mode: 'none' };
    return JSON.parse(note) as NetworkPolicy;
  }

  private async answers(agentId: string): Promise<boolean> {
    try {
      const call = ownCall(`ping_${randomUUID()}`, pingWorkspace.timeoutMs);
      await requestOverNats(this.options.nats, pingWorkspace, { agentId }, call);
      return true;
    } catch {
      return false; // nobody there (yet)
    }
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
