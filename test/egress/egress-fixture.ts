import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { connect as tlsConnect, type TLSSocket } from 'node:tls';
import { fileURLToPath } from 'node:url';
import type { EgressGrant, EgressUse, EgressVerdict } from '#lib/contracts';
import { AgentProxies } from '../../apps/agent-lifecycle/src/sandboxes/egress/agent-proxies.js';
import {
  type EgressAuthority,
  makeEgressAuthority,
} from '../../apps/agent-lifecycle/src/sandboxes/egress/authority.js';
import type { GrantSource } from '../../apps/agent-lifecycle/src/sandboxes/egress/grant-source.js';
import type { NetworkPolicy } from '../../apps/agent-lifecycle/src/sandboxes/workspace-driver.js';

export const zone = 'roost-egress.net';
/** In the form that this file has itself: built, or as it is written. */
const namesFile = fileURLToPath(new URL(import.meta.url.replace(/.*\.(?=\w+$)/, 'names.'), import.meta.url));

export const newPlaceholder = () => `roost-placeholder-${randomBytes(16).toString('hex')}`;

/** A grant of a bearer token to a host, with a placeholder. */
export function grant(hosts: string[], more: Partial<EgressGrant> = {}): EgressGrant {
  return {
    id: randomUUID(),
    secret: 'canary',
    placeholder: newPlaceholder(),
    hosts,
    placements: ['headers'],
    asks: false,
    credential: { kind: 'bearer', token: `canary-${randomBytes(12).toString('hex')}` },
    ...more,
  };
}

/** The real egress process as agent-lifecycle runs it, with grants that a test sets, in a network where only this machine is. */
export async function startEgress(hosts: { authority: EgressAuthority }) {
  const folder = mkdtempSync(join(tmpdir(), 'roost-egress-test-'));
  const trusted = join(folder, 'hosts.pem');
  writeFileSync(trusted, hosts.authority.certificate);
  const before = process.env['NODE_EXTRA_CA_CERTS'];
  process.env['NODE_EXTRA_CA_CERTS'] = trusted;
  const grants = new Map<string, EgressGrant[]>();
  const policies = new Map<string, NetworkPolicy>();
  const uses: EgressUse[] = [];
  const logged: unknown[] = [];
  const asked: { grantId: string; request: object }[] = [];
  /** What is said about requests of a grant that asks, one after the other. */
  const verdicts = new Map<string, EgressVerdict[]>();
  let changed: (agentId: string) => void = () => undefined;
  const source: GrantSource = {
    grantsOf: (agentId) => Promise.resolve(grants.get(agentId) ?? []),
    tokenFor: (grantId) =>
      Promise.resolve({ token: `dynamic-${grantId}`, expiresAt: new Date(Date.now() + 3_600_000) }),
    mayUse: (grantId, request) => {
      asked.push({ grantId, request });
      const verdict = verdicts.get(grantId)?.shift();
      if (verdict) return Promise.resolve(verdict);
      return Promise.resolve(
        request.path === '/approved' ? { isAllowed: true } : { isAllowed: false, reason: 'an approval was requested' },
      );
    },
    askHoldMs: 3_000,
    used: (some) => Promise.resolve(void uses.push(...some)),
    onChanged: (listener) => (changed = listener),
  };
  const authority = await makeEgressAuthority();
  /** For a driver with sandboxes, which then runs an egress process of its own. */
  const driverOptions = {
    egressAllowedRanges: ['127.0.0.1/32'],
    grants: source,
    egressAuthority: () => Promise.resolve(authority),
    egressNodeArguments: ['--import', namesFile],
  };
  const proxies = new AgentProxies(
    { ...driverOptions, dataDir: folder, logger: { warn: (...line) => logged.push(line) } },
    (agentId) => policies.get(agentId) ?? { mode: 'public' },
  );
  const ports: { close(): void }[] = [];

  const stream = async (agentId: string): Promise<Socket> => {
    const socket = connect(await proxies.supervisor.listenerOf(agentId));
    socket.on('error', () => undefined);
    return socket;
  };
  return {
    authority,
    driverOptions,
    folder,
    proxies,
    source,
    uses,
    logged,
    asked,
    verdicts,
    policies,
    stream,
    async grant(agentId: string, list: EgressGrant[]): Promise<void> {
      grants.set(agentId, list);
      changed(agentId);
      await proxies.supervisor.listenerOf(agentId);
    },
    /** Sends bytes to the proxy as a sandbox would, and returns all that comes back. */
    async raw(agentId: string, bytes: string): Promise<string> {
      const socket = await stream(agentId);
      socket.write(bytes, 'latin1');
      return text(socket.setEncoding('latin1'));
    },
    /** TLS through a tunnel; rejects where there is none. */
    async tls(
      agentId: string,
      target: string,
      options: { servername?: string; ALPNProtocols?: string[] } = {},
    ): Promise<TLSSocket> {
      const socket = await stream(agentId);
      socket.write(`CONNECT ${target} HTTP/1.1\r\nhost: ${target}\r\n\r\n`);
      const [answer] = (await once(socket, 'data')) as [Buffer];
      if (!answer.toString().startsWith('HTTP/1.1 200')) throw new Error(answer.toString());
      const servername = options.servername ?? target.replace(/:\d+$/, '');
      const secure = tlsConnect({
        socket,
        ca: authority.certificate,
        ALPNProtocols: ['http/1.1'],
        ...options,
        servername,
      });
      secure.on('error', () => undefined);
      await Promise.race([
        once(secure, 'secureConnect'),
        once(secure, 'close').then(() => Promise.reject(new Error('closed without TLS'))),
      ]);
      return secure;
    },
    /** A port that leads to the agent's listener, for tools that know a proxy by its URL. */
    async port(agentId: string): Promise<string> {
      const server = createServer((client) => proxies.accept(agentId, client)).listen(0, '127.0.0.1');
      await once(server, 'listening');
      ports.push(server);
      return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    },
    async close() {
      if (before === undefined) delete process.env['NODE_EXTRA_CA_CERTS'];
      else process.env['NODE_EXTRA_CA_CERTS'] = before;
      for (const server of ports) server.close();
      await proxies.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
export type Egress = Awaited<ReturnType<typeof startEgress>>;
