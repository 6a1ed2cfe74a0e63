import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Certificate, certificateFor } from './certificate.js';
import { interfaceNames, makeClientInterfaces, packetsSent } from './interfaces.js';
import type { Connections, InternetPlan, ToInternet } from './internet.js';
import type { Names } from './name-server.js';
import { NAME_SERVER } from './run-closed.js';

export interface ClosedNetwork {
  certificate: Certificate;
  /** Packets that were sent to denied addresses: beyond this machine, and to this machine itself. */
  deniedPackets(): { outside: number; loopback: number };
  /** Connections that the canaries took so far. */
  connections(): Promise<Connections>;
  setNames(names: Names): Promise<void>;
  close(): Promise<void>;
}

/**
 * Makes the network that the calling process, started by `runClosed`, lives in. `open` are the addresses that may be
 * reached. Throws when this process can see any other network: nothing may be dialled then.
 */
export async function openClosedNetwork({
  open,
  names,
  certificateHosts,
  certificateFile,
  sites,
}: {
  open: readonly string[];
  names: Names;
  certificateHosts: readonly string[];
  /** Where the certificate is written for programs that shall trust it. */
  certificateFile?: string;
  sites?: URL;
}): Promise<ClosedNetwork> {
  const foreign = interfaceNames().filter((name) => name !== 'lo');
  if (foreign.length > 0) throw new Error(`this is no closed network: it has ${foreign.join(', ')}`);
  const certificate = await certificateFor(certificateHosts);
  if (certificateFile !== undefined) writeFileSync(certificateFile, certificate.cert);
  const internet = spawn(
    'unshare',
    ['--net', process.execPath, fileURLToPath(new URL('internet.js', import.meta.url))],
    { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] },
  );
  internet.once('exit', (code) => {
    if (code !== 0 && code !== null) console.error(`the far end of the closed network ended with ${code}`);
  });
  await once(internet, 'message');
  const ask = async (message: ToInternet): Promise<Connections> => {
    const answer = once(internet, 'message') as Promise<[Connections]>;
    internet.send(message);
    return (await answer)[0];
  };
  // `unshare` became node: the process id is that of the namespace's only process.
  makeClientInterfaces(internet.pid ?? 0, [...open, NAME_SERVER]);
  const plan: InternetPlan = { open: [...open, NAME_SERVER], names, certificate, sites: sites?.href };
  await ask({ plan });
  return {
    certificate,
    deniedPackets: () => ({ outside: packetsSent('shut0'), loopback: packetsSent('lo') }),
    connections: () => ask({ count: true }),
    setNames: async (changed) => void (await ask({ names: changed })),
    close: async () => {
      if (internet.exitCode !== null) return;
      const ended = once(internet, 'exit');
      internet.disconnect();
      await ended;
    },
  };
}
