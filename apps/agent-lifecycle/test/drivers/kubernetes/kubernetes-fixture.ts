import * as client from '@kubernetes/client-node';
import { workspaceCredentials } from '#lib/nats-auth';
import { serve } from '#lib/rpc';
import { pingWorkspace, subjectOf } from '#lib/contracts';
import { type FreshBus, KubernetesDouble, type PodProcess, type PodStart, temporaryFolder } from '#lib/testing';
import type { NatsConnection } from '@nats-io/transport-node';
import { randomUUID } from 'node:crypto';
import { KubernetesWorkspaceDriver } from '../../../src/sandboxes/kubernetes/kubernetes-driver.js';
import { KubernetesSettings } from '../../../src/sandboxes/kubernetes/settings.js';

export interface KubernetesFixtureOptions {
  startTimeoutMs?: number;
  patienceMs?: number;
  silenceMs?: number;
  /** After a crash; until then the pod shows why it ended. */
  restartMs?: number;
}

/** A cluster whose pods answer pings and do nothing else, and drivers on it. */
export async function kubernetesFixture(
  bus: FreshBus,
  connection: NatsConnection,
  options: KubernetesFixtureOptions = {},
) {
  const { restartMs = 100 } = options;
  const double = new KubernetesDouble({ start: (pod) => answering(connection, pod), restartMs, bookmarkMs: 300 });
  await double.listen();
  const config = new client.KubeConfig();
  config.loadFromClusterAndUser({ name: 'double', server: double.url, skipTLSVerify: true }, { name: 'roost' });
  const drivers: KubernetesWorkspaceDriver[] = [];
  const dataDir = temporaryFolder();
  const settings = KubernetesSettings.parse({
    namespace: 'roost',
    image: 'roost-workspace:test',
    bus: { host: '127.0.0.1', port: 4222, peer: { podSelector: { matchLabels: { app: 'nats' } } } },
    egress: { host: '127.0.0.1', port: 3128, peer: { podSelector: { matchLabels: { app: 'agent-lifecycle' } } } },
    startTimeoutMs: options.startTimeoutMs ?? 30_000,
  });
  return {
    double,
    settings,
    driver(more: Partial<KubernetesSettings> = {}): KubernetesWorkspaceDriver {
      const driver = new KubernetesWorkspaceDriver({
        client,
        config,
        settings: { ...settings, ...more },
        accountSeed: bus.accountSeed,
        mintCredentials: (agentId) => workspaceCredentials(bus.accountSeed, agentId, { ttlSeconds: 3_600 }),
        credentialsTtlSeconds: 3_600,
        egress: { host: '127.0.0.1', port: 0 },
        dataDir,
        nats: connection,
        logger: { warn: () => undefined, info: () => undefined },
        patienceMs: options.patienceMs,
        silenceMs: options.silenceMs,
      });
      drivers.push(driver);
      return driver;
    },
    async close(): Promise<void> {
      for (const driver of drivers) await driver.close();
      await double.close();
    },
  };
}

export type KubernetesFixture = Awaited<ReturnType<typeof kubernetesFixture>>;

function answering(connection: NatsConnection, { agentId }: PodStart): PodProcess {
  const bootId = randomUUID();
  const subject = subjectOf(pingWorkspace, { agentId });
  const subscription = serve(
    connection,
    pingWorkspace,
    subject,
    () => ({ bootId, uptimeMs: 1e9 }),
    () => undefined,
  );
  let end: (how: { exitCode: number; reason?: string }) => void = () => undefined;
  return {
    ended: new Promise((resolve) => (end = resolve)),
    stop(reason) {
      subscription.unsubscribe();
      end({ exitCode: 137, ...(reason ? { reason } : {}) });
    },
  };
}
