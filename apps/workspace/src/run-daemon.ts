import { randomUUID } from 'node:crypto';
import { openClusterConnection } from './bus/cluster-connection.js';
import { connectBus } from './bus/connect-bus.js';
import { HostConnection, openSocketStream, openStandardStream } from './bus/host-connection.js';
import { openEgressPort } from './egress-port.js';
import { endOtherProcesses, hasOtherProcesses } from './exec/process-tree.js';
import { Commands } from './exec/run-command.js';
import { MeasuredQuota } from './measured-quota.js';
import { Processes } from './processes/processes.js';
import { serveWorkspace } from './serve-workspace.js';
import { Transfers } from './streams/transfers.js';
import { Volume } from './tree/volume.js';
import { writeTrust } from './trust.js';

const maxBackoffMs = 2_000;

/** Serves one workspace until its connection to the host ends; the process ends with it. */
export async function runDaemon(): Promise<never> {
  changeUser();
  const clusterFolder = process.argv[2] === '--cluster' ? process.argv[3] : undefined;
  const { config, host } = await (clusterFolder === undefined
    ? openHostConnection()
    : openClusterConnection(clusterFolder));
  process.once('SIGTERM', () => process.exit(0));

  const quota = config.isVolumeBounded
    ? undefined
    : new MeasuredQuota({
        root: config.root,
        limitBytes: config.volumeBytes,
        isBusy: () => commands.count + processes.count > 0 || hasOtherProcesses(),
        onOverrun() {
          commands.endAll('the volume is full; delete files or use a larger pvc_size');
          processes.stopAll();
          endOtherProcesses();
        },
      });
  const limits = { maxProcesses: config.maxProcesses, isVolumeFull: () => quota?.isFull ?? false };
  const commands = new Commands(config.root, config.env, limits);
  const processes = new Processes(config.root, config.env, limits);
  const volume = new Volume(config.root, quota);
  await Promise.all([volume.sweep(), openEgressPort(host), config.trust && writeTrust(config.trust)]);
  const transfers = new Transfers(volume);
  const bootId = randomUUID();

  for (let backoffMs = 50; ;) {
    try {
      const connection = await connectBus(host, config.inboxPrefix);
      serveWorkspace(connection, { agentId: config.agentId, bootId }, volume, commands, transfers, processes);
      backoffMs = 50;
      await connection.closed();
    } catch (error) {
      process.stderr.write(
        `${JSON.stringify({ level: 'warn', message: 'the bus is not reachable', error: String(error) })}\n`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, backoffMs));
    backoffMs = Math.min(backoffMs * 2, maxBackoffMs);
  }
}

/** The daemon is then the sandbox's first process: when its connection ends it exits, and the kernel ends everything in it. */
async function openHostConnection() {
  const { config, stream } = await (process.argv.includes('--stdio') ? openStandardStream() : openSocketStream());
  return { config, host: new HostConnection(stream, () => process.exit(0)) };
}

/**
 * Where it begins as root (gVisor) it becomes the user of its arguments: a kernel lets nobody open the memory and the
 * handles of a process that changed its user, not even that user's other processes, which its commands are.
 */
function changeUser(): void {
  const user = Number(process.argv.find((arg) => arg.startsWith('--user='))?.slice('--user='.length));
  if (!user || process.getuid?.() !== 0) return;
  process.setgroups?.([user]);
  process.setgid?.(user);
  process.setuid?.(user);
}
