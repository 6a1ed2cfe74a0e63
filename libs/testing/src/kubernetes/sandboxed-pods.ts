import { spawn } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync, readlinkSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { pipeline, type Readable } from 'node:stream';
import type { PodProcess, PodStart } from './kubelet.js';

export interface SandboxedPodsOptions {
  bwrapPath: string;
  /** The built workspace-daemon.cjs. */
  daemonPath: string;
  folder: string;
  /** Inside a pod these loopback ports lead to these ports of the host; nothing else leads anywhere. */
  ports: { inside: number; outside: number }[];
}

/**
 * Runs the containers of pods as real processes in bubblewrap: a file system, processes and a network of their own, in
 * which the bus and the egress proxy are all there is.
 */
export async function sandboxedPods({ bwrapPath, daemonPath, folder, ports }: SandboxedPodsOptions) {
  const shared = join(folder, 'pod');
  mkdirSync(shared, { recursive: true });
  const servers = await Promise.all(ports.map(({ inside, outside }) => forward(join(shared, `${inside}`), outside)));
  writeFileSync(join(shared, 'forwarders.mjs'), forwardersInside(ports.map(({ inside }) => inside)));
  const hostNode = realpathSync(process.execPath);
  const isSystemNode = hostNode.startsWith('/usr/');
  // Not where it is on the host, which may be below the /tmp that the pod has of its own.
  const node = isSystemNode ? hostNode : '/opt/node/bin/node';

  return {
    start({ name, volumeId, command, files }: PodStart): PodProcess {
      const [volume, config] = [join(folder, 'volumes', volumeId), join(folder, 'secrets', name)];
      mkdirSync(volume, { recursive: true });
      rmSync(config, { recursive: true, force: true });
      mkdirSync(config, { recursive: true });
      for (const [file, content] of Object.entries(files)) writeFileSync(join(config, file), content);
      const child = spawn(
        bwrapPath,
        [
          ...['--unshare-all', '--unshare-user', '--uid', '1000', '--gid', '1000', '--cap-drop', 'ALL'],
          ...['--die-with-parent', '--new-session', '--clearenv', '--hostname', 'workspace', '--json-status-fd', '3'],
          ...['--setenv', 'NODE_OPTIONS', '--import=/run/pod/forwarders.mjs'],
          ...['--setenv', 'PATH', `${dirname(node)}:/usr/bin:/bin`],
          ...['--ro-bind', '/usr', '/usr', ...['bin', 'lib', 'lib64'].flatMap(systemFolder)],
          ...(isSystemNode ? [] : ['--ro-bind', dirname(dirname(hostNode)), '/opt/node']),
          ...['--ro-bind', daemonPath, '/opt/roost/workspace-daemon.cjs', '--ro-bind', shared, '/run/pod'],
          ...['--ro-bind', config, '/run/roost/config', '--bind', volume, '/workspace'],
          ...[
            '--proc',
            '/proc',
            '--dev',
            '/dev',
            '--tmpfs',
            '/tmp',
            '--chdir',
            '/workspace',
            '--',
            node,
            ...here(command),
          ],
        ],
        { stdio: ['ignore', 'ignore', 'pipe', 'pipe'] },
      );
      let killed: string | undefined;
      let inner: number | undefined;
      // Not bwrap itself: killed in the moment of its start it would leave the inner process behind.
      const end = () => {
        try {
          if (inner !== undefined) process.kill(inner, 'SIGKILL');
        } catch {
          // It has ended by itself.
        }
      };
      child.stderr?.resume();
      createInterface(child.stdio[3] as Readable).once('line', (line) => {
        inner = (JSON.parse(line) as { 'child-pid': number })['child-pid'];
        if (killed !== undefined) end();
      });
      return {
        ended: new Promise((resolve) => {
          child.once('error', () => resolve({ exitCode: 127 }));
          child.once('close', (code) => resolve({ exitCode: code ?? 137, ...(killed ? { reason: killed } : {}) }));
        }),
        stop(reason) {
          killed = reason;
          end();
        },
      };
    },
    close(): void {
      for (const server of servers) server.close();
    },
  };
}

async function forward(path: string, port: number): Promise<Server> {
  const server = createServer((inner) => {
    const outer = connect(port, '127.0.0.1');
    pipeline(inner, outer, inner, () => undefined);
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(path, resolve));
  return server;
}

/** Loaded into the pod's process before its program: its network has no other machine than these ports. */
function forwardersInside(ports: number[]): string {
  return `import { connect, createServer } from 'node:net';
import { once } from 'node:events';
import { pipeline } from 'node:stream';
for (const port of ${JSON.stringify(ports)}) {
  const server = createServer((inner) => {
    const outer = connect('/run/pod/' + port);
    pipeline(inner, outer, inner, () => undefined);
  });
  await once(server.listen(port, '127.0.0.1').unref(), 'listening').catch(() => undefined);
}
`;
}

/** The image's init, loader and Node are not on this machine: its own Node runs the daemon with the pod's arguments. */
function here(command: string[]): string[] {
  const daemon = command.findIndex((argument) => argument.endsWith('.cjs'));
  return ['/opt/roost/workspace-daemon.cjs', ...command.slice(daemon + 1)];
}

function systemFolder(name: string): string[] {
  const path = `/${name}`;
  if (!existsSync(path)) return [];
  return lstatSync(path).isSymbolicLink() ? ['--symlink', readlinkSync(path), path] : ['--ro-bind', path, path];
}
