import * as client from '@kubernetes/client-node';
import { join } from 'node:path';
import { workspaceCredentials } from '#lib/nats-auth';
import { bundleProgram, freePort, freshBus, KubernetesDouble, sandboxedPods, temporaryFolder } from '#lib/testing';
import { describeDriver } from '../../../test/drivers/driver-suite.js';
import { KubernetesWorkspaceDriver } from './kubernetes-driver.js';
import { KubernetesSettings } from './settings.js';

describeDriver('the kubernetes driver', { isIsolated: false, hasProxy: true }, async () => {
  const bus = await freshBus();
  const folder = temporaryFolder();
  const daemonPath = await bundleProgram('apps/workspace/src/main.ts', join(folder, 'workspace-daemon.cjs'));
  const egressPort = await freePort();
  const pods = await sandboxedPods({
    bwrapPath: process.env['ROOST_TEST_BWRAP'] ?? 'bwrap',
    daemonPath,
    folder,
    ports: [
      { inside: 4222, outside: Number(new URL(bus.url).port) },
      { inside: 3129, outside: egressPort },
    ],
  });
  const double = new KubernetesDouble({ start: (pod) => pods.start(pod), restartMs: 2_000 });
  await double.listen();
  const connection = await bus.connect();
  const config = new client.KubeConfig();
  config.loadFromClusterAndUser({ name: 'double', server: double.url, skipTLSVerify: true }, { name: 'roost' });
  const another = (port = 0) =>
    new KubernetesWorkspaceDriver({
      client,
      config,
      settings: KubernetesSettings.parse({
        namespace: 'roost',
        image: 'roost-workspace:test',
        bus: { host: '127.0.0.1', port: 4222, peer: { podSelector: {} } },
        egress: { host: '127.0.0.1', port: 3129, peer: { podSelector: {} } },
      }),
      accountSeed: bus.accountSeed,
      mintCredentials: (agentId) => workspaceCredentials(bus.accountSeed, agentId, { ttlSeconds: 3_600 }),
      credentialsTtlSeconds: 3_600,
      egress: { host: '127.0.0.1', port },
      dataDir: folder,
      nats: connection,
      logger: { warn: () => undefined, info: () => undefined },
    });
  const driver = another(egressPort);
  return {
    driver,
    connection,
    another,
    isShared: true,
    mendsItself: true,
    crash: (agentId) => Promise.resolve(void double.kubelet.kill(agentId)),
    async close() {
      await driver.close();
      await double.close();
      pods.close();
      await connection.close();
      bus.release();
    },
  };
});
