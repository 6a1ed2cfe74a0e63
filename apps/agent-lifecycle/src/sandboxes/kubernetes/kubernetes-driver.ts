import type { KubeConfig } from '@kubernetes/client-node';
import type { NatsConnection } from '@nats-io/transport-node';
import { answersPing } from '../daemon.js';
import { AgentProxies, type AgentProxiesOptions } from '../egress/agent-proxies.js';
import { unavailable } from '../host-errors.js';
import type {
  NetworkLogEntry,
  NetworkPolicy,
  WorkspaceDriver,
  WorkspaceSpec,
  WorkspaceStatus,
} from '../workspace-driver.js';
import { Cluster } from './cluster.js';
import { EgressService, EgressTokens } from './egress-service.js';
import { NETWORK } from './names.js';
import { apiError, whyPodFails } from './reasons.js';
import { View } from './view.js';
import { GONE_TIMEOUT_MS, WorkspaceObjects } from './workspace-objects.js';
import { WorkspaceSecrets, type WorkspaceSecretsOptions } from './workspace-secrets.js';

export interface KubernetesDriverOptions extends AgentProxiesOptions, Omit<WorkspaceSecretsOptions, 'certificate'> {
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
/** A failing pod is given this long: a first pull often fails and the second succeeds. */
const maxFailingGraceMs = 3_000;

/**
 * Workspaces as pods of one namespace: per agent a volume claim, and owned by it a StatefulSet of 0 or 1, a Secret with
 * the agent's own bus credentials, a network policy and an account without a token. Several replicas of the service may
 * work on the same workspaces: every request describes the wanted state.
 */
export class KubernetesWorkspaceDriver implements WorkspaceDriver {
  readonly whyNever = undefined;
  private readonly view: View;
  private readonly objects: WorkspaceObjects;
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
    const cluster = new Cluster({ client, config, namespace, patienceMs });
    this.view = new View({
      client,
      config,
      cluster,
      namespace,
      instance,
      silenceMs,
      onTrouble: (error) => logger.warn({ err: error }, 'the Kubernetes API cannot be watched; it is tried again'),
    });
    this.proxies = new AgentProxies(options, (agentId) => this.policyOf(agentId));
    const tokens = new EgressTokens(options.accountSeed);
    this.secrets = new WorkspaceSecrets(
      { ...options, certificate: () => this.proxies.certificate() },
      tokens,
      cluster,
      this.view,
    );
    this.objects = new WorkspaceObjects(settings, cluster, this.view, this.secrets);
    this.egress = new EgressService({
      ...options.egress,
      tokens,
      onConnection: (agentId, stream) => this.proxies.accept(agentId, stream),
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
      const asleep = await this.objects.scaleToZero(agentId);
      if (asleep === undefined) return;
      // Another replica may wake it again meanwhile: then it will not come to rest, and its sleep is over.
      const isDone = () => this.view.isAtRest(agentId) || this.view.isScaled(agentId, 1, asleep);
      if (!(await this.view.until(isDone, GONE_TIMEOUT_MS)))
        throw unavailable(`the pod of the workspace does not end within ${GONE_TIMEOUT_MS / 1_000} seconds`);
    } catch (error) {
      throw apiError(error);
    }
  }

  async remove(agentId: string): Promise<void> {
    await this.starting.get(agentId)?.catch(() => undefined);
    this.awake.delete(agentId);
    this.failures.delete(agentId);
    this.policies.delete(agentId);
    try {
      await this.objects.delete(agentId);
    } catch (error) {
      throw apiError(error);
    }
    await this.proxies.remove(agentId);
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
    await Promise.allSettled([...this.awake].map((agentId) => this.objects.scaleToZero(agentId)));
    this.view.close();
    await this.listening?.catch(() => undefined);
    await this.egress.close();
    await this.proxies.close();
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
        await this.objects.noteNetwork(spec);
      } else {
        await this.untilAwake(spec, await this.objects.make(spec));
      }
      await this.proxies.refresh(agentId);
      this.awake.add(agentId);
      this.failures.delete(agentId);
    } catch (error) {
      const known = apiError(error);
      this.failures.set(agentId, known.message);
      // A pod that may come up later, unasked, would be a workspace that nobody counts.
      await this.objects.scaleToZero(agentId).catch(() => undefined);
      throw known;
    }
  }

  /**
   * Resolves when the pod answers. What another replica puts to sleep since generation `made` of the set is made again:
   * who asked for it cannot know of that, and checks afterwards whether the agent may run at all.
   */
  private async untilAwake(spec: WorkspaceSpec, made: number): Promise<void> {
    const { agentId } = spec;
    const { startTimeoutMs } = this.options.settings;
    const graceMs = Math.min(maxFailingGraceMs, startTimeoutMs / 4);
    let failingSince: number | undefined;
    for (const deadline = Date.now() + startTimeoutMs; ;) {
      if (this.isClosed) throw unavailable('Roost is shutting down');
      if (this.view.isScaled(agentId, 0, made)) made = await this.objects.make(spec);
      const pod = this.view.podOf(agentId);
      if (this.view.statusOf(agentId).state === 'running' && (await answersPing(this.options.nats, agentId))) return;
      const reason = pod && whyPodFails(pod);
      if (reason === undefined) failingSince = undefined;
      else failingSince ??= Date.now();
      if (reason !== undefined && failingSince !== undefined && Date.now() - failingSince > graceMs) {
        throw unavailable(reason);
      }
      // After a look: one that came up while this process was held up is there.
      if (Date.now() >= deadline) throw unavailable(await this.objects.whyLate(agentId));
      await this.view.nextChange(50);
    }
  }

  /** Another replica may have been asked for a change: its note on the set is newer than what we were asked for. */
  private policyOf(agentId: string): NetworkPolicy {
    const note = this.view.setOf(agentId)?.metadata?.annotations?.[NETWORK];
    if (note === undefined) return this.policies.get(agentId) ?? { mode: 'none' };
    return JSON.parse(note) as NetworkPolicy;
  }
}
