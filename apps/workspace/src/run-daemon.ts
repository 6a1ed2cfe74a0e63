import { randomUUID } from 'node:crypto';
import { openClusterLink } from './bus/cluster-link.js';
import { connectBus } from './bus/connect-bus.js';
import { HostLink } from './bus/host-link.js';
import { openSocketLine, openStandardLine } from './bus/open-line.js';
import { openEgressPort } from './egress-port.js';
import { endOtherProcesses, hasOtherProcesses } from './exec/process-tree.js';
import { Commands } from './exec/run-command.js';
import { MeasuredRoom } from './measured-room.js';
import { Processes } from './processes/processes.js';
import { serveWorkspace } from './serve-workspace.js';
import { Transfers } from './streams/transfers.js';
import { Volume } from './tree/volume.js';

const maxBackoffMs = 2_000;

/** Serves one workspace until its line to the host ends; the process ends with it. */
export async function runDaemon(): Promise<never> {
  changeUser();
  const clusterFolder = process.argv[2] === '--cluster' ? process.argv[3] : undefined;
  const { config, link } = await (clusterFolder === undefined ? openHostLink() : openClusterLink(clusterFolder));
  process.once('SIGTERM', () => process.exit(0));

  const room = config.isVolumeBounded
    ? undefined
    : new MeasuredRoom({
        root: config.root,
        limitBytes: config.volumeBytes,
        isBusy: () => commands.count + processes.count > 0 || hasOtherProcesses(),
        onOverrun() {
          commands.endAll('the volume is full; delete files or use a larger pvc_size');
          processes.stopAll();
          endOtherProcesses();
        },
      });
  const limits = { maxProcesses: config.maxProcesses, isVolumeFull: () => room?.isFull ?? false };
  const commands = new Commands(config.root, config.env, limits);
  const processes = new Processes(config.root, config.env, limits);
  const volume = new Volume(config.root, room);
  await Promise.all([volume.sweep(), openEgressPort(link)]);
  const transfers = new Transfers(volume);
  const bootId = randomUUID();

  for (let backoffMs = 50; ;) {
    try {
      const connection = await connectBus(link, config.inboxPrefix);
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

/** The daemon is then the sandbox's first process: when its line ends it goes, and the kernel ends everything in it. */
async function openHostLink() {
  const { config, line } = await (process.argv.includes('--stdio') ? openStandardLine() : openSocketLine());
  return { config, link: new HostLink(line, () => process.exit(0)) };
}

/**
 * Where it begins as root (gVisor) it becomes the user that it is told: a kernel lets nobody open the memory and the
 * handles of a process that changed its user, not even that user's other processes, which its commands are.
 */
function changeUser(): void {
  const user = Number(process.argv.find((arg) => arg.startsWith('--user='))?.slice('--user='.length));
  if (!user || process.getuid?.() !== 0) return;
  process.setgroups?.([user]);
  process.setgid?.(user);
  process.setuid?.(user);
}
