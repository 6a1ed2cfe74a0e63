import { readFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { z } from 'zod';
import { WorkspaceConfig } from '../config.js';
import { BUS_AUTHORITY, type HostTunnels, PROXY_AUTHORITY } from './host-connection.js';
import { readHead } from './read-head.js';

const Address = z.strictObject({ host: z.string().min(1), port: z.number().int().min(1).max(65_535) });

/** What a pod finds mounted as `workspace.json`: the configuration, and where the bus and the egress proxy are. */
export const ClusterConfig = z.strictObject({
  workspace: WorkspaceConfig,
  bus: Address,
  egress: Address.extend({ token: z.string().min(1) }),
});
export type ClusterConfig = z.output<typeof ClusterConfig>;

const dialTimeoutMs = 5_000;
const maxAnswerBytes = 4_096;

/** Reads what the driver mounted. Errors: names what is missing or wrong in it. */
export async function openClusterConnection(
  folder: string,
): Promise<{ config: WorkspaceConfig; host: ClusterConnection }> {
  const config = ClusterConfig.parse(JSON.parse(await readFile(`${folder}/workspace.json`, 'utf8')));
  return { config: config.workspace, host: new ClusterConnection(config, `${folder}/bus.creds`) };
}

/**
 * The connections of a pod: TCP to the bus and to the egress proxy, the only two that its network policy lets through. The
 * credentials are read from the mounted Secret at each connection, so that renewed ones count without a restart.
 */
export class ClusterConnection implements HostTunnels {
  constructor(
    private readonly config: ClusterConfig,
    private readonly credentialsFile: string,
  ) {}

  /** As `HostConnection.connect`: the same answers for the same two names. */
  async connect(
    authority: string,
  ): Promise<{ stream: Duplex; status: number; header(name: string): string | undefined }> {
    if (authority === BUS_AUTHORITY) return this.openBus();
    if (authority === PROXY_AUTHORITY) return this.openEgress();
    throw new Error(`there is no ${authority}`);
  }

  private async openBus() {
    const credentials = (await readFile(this.credentialsFile)).toString('base64');
    const stream = await dial(this.config.bus);
    const header = (name: string) => (name === 'roost-credentials' ? credentials : undefined);
    return { stream, status: 200, header };
  }

  private async openEgress() {
    const { egress, workspace } = this.config;
    const stream = await dial(egress);
    const login = Buffer.from(`${workspace.agentId}:${egress.token}`).toString('base64');
    stream.write(
      `CONNECT ${PROXY_AUTHORITY} HTTP/1.1\r\nhost: ${PROXY_AUTHORITY}\r\nproxy-authorization: Basic ${login}\r\n\r\n`,
    );
    return { stream, status: await statusOf(stream), header: () => undefined };
  }
}

function dial({ host, port }: { host: string; port: number }): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, noDelay: true });
    const timer = setTimeout(() => socket.destroy(new Error(`${host}:${port} does not answer`)), dialTimeoutMs);
    socket.once('error', reject);
    socket.once('close', () => clearTimeout(timer));
    socket.once('connect', () => {
      clearTimeout(timer);
      socket.off('error', reject);
      socket.on('error', () => undefined); // the reader or writer of the stream sees it end
      resolve(socket);
    });
  });
}

/** The status of the answer to CONNECT; what follows its headers stays in the stream. */
async function statusOf(stream: Socket): Promise<number> {
  const head = await readHead(stream, '\r\n\r\n', maxAnswerBytes, "the egress proxy's answer");
  return Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1] ?? 502);
}
