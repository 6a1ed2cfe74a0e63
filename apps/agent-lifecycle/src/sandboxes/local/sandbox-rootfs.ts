import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { chmod, rename, rm } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { promisify } from 'node:util';
import { cachedDataVersionTag } from 'node:v8';
import { javaStoreOf, systemBundle, systemJavaStore, trustInside } from '../trust.js';
import { noteRootfsUse } from './rootfs-retention.js';

const run = promisify(execFile);

/** Node's arguments for the daemon. A snapshot is taken only by a Node that runs with the flags it was made with. */
const daemonFlags = ['--max-old-space-size=192', '--max-semi-space-size=2'];

/** What every sandbox is shown besides the system: one folder, made once and shared read-only by all. */
export interface SandboxRootfs {
  /** Holds `node`, `sh`, `etc/` and the daemon. */
  folder: string;
  /** The daemon: a snapshot of it or, where Node makes none, its script. */
  daemon: string;
  /** Why there is no snapshot. */
  whySlow?: string;
}

/** The files of certificates in a rootfs, and where they are shown besides `trustInside`. */
const trustFiles = { 'bundle.pem': systemBundle, 'java.jks': systemJavaStore, 'ca.pem': undefined };

/** The certificates of a rootfs: in the place of the system's, and where variables of the environment name them. */
export function rootfsTrust({ folder }: Pick<SandboxRootfs, 'folder'>): { source: string; inside: string }[] {
  const laidOver = Object.entries(trustFiles).flatMap(([name, inside]) =>
    inside !== undefined && existsSync(inside) ? [{ source: join(folder, 'trust', name), inside }] : [],
  );
  return [...laidOver, { source: join(folder, 'trust'), inside: trustInside }];
}

const etc: Record<string, string> = {
  passwd:
    'root:x:0:0:root:/nonexistent:/usr/sbin/nologin\nagent:x:1000:1000:agent:/workspace:/bin/bash\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n',
  group: 'root:x:0:\nagent:x:1000:\nnogroup:x:65534:\n',
  hosts: '127.0.0.1 localhost workspace\n::1 localhost\n',
  hostname: 'workspace\n',
  'nsswitch.conf': 'passwd: files\ngroup: files\nhosts: files\n',
  'resolv.conf': '# names are resolved by the egress proxy\n',
};

/** The files of the rootfs that are laid over the host's /etc. */
export const ownEtc = Object.keys(etc);

/** Where the daemon of a rootfs is inside. */
export function daemonInside(daemon: string): string {
  return `/run/roost/workspace-daemon${extname(daemon)}`;
}

/** Programs of the rootfs inside. */
const [rootfsNode, rootfsShell] = ['/run/roost/node', '/run/roost/sh'];

/** The programs of a rootfs and where they are inside. */
export function rootfsPrograms({ folder }: SandboxRootfs): { source: string; inside: string }[] {
  return [rootfsNode, rootfsShell].map((inside) => ({ source: join(folder, basename(inside)), inside }));
}

/**
 * The command line, inside, of a sandbox's first process, with the daemon as its child: takes in the orphans that
 * commands leave, which Node would not, and ends with the daemon. The shell is the rootfs's own for the same reason as Node
 * is: commands cannot open its memory, nor through that what it holds.
 */
export function initCommand(daemon: string, ...args: string[]): string[] {
  return [rootfsShell, '-c', '"$@"; exit $?', 'roost-init', ...daemonCommand(daemon, ...args)];
}

function daemonCommand(daemon: string, ...args: string[]): string[] {
  const isSnapshot = extname(daemon) === '.blob';
  // Node would take arguments for its own where no script goes before them.
  const end = isSnapshot && args.length > 0 ? ['--'] : [];
  return [
    rootfsNode,
    ...daemonFlags,
    ...(isSnapshot ? ['--snapshot-blob'] : []),
    daemonInside(daemon),
    ...end,
    ...args,
  ];
}

export interface RootfsOptions {
  dataDir: string;
  daemonPath: string;
  nodePath?: string;
  shellPath?: string;
  /** Whether the rootfs's programs must be readable to be run. */
  areProgramsReadable: boolean;
  /** What sandboxes trust besides the system's certificates, PEM. */
  certificate: string;
}

/**
 * Makes the rootfs under `<dataDir>/sandbox-kits`, named by what is in it: a new Node or a new daemon gets a new folder,
 * and sandboxes that still run keep theirs.
 */
export async function makeRootfs(options: RootfsOptions): Promise<SandboxRootfs> {
  const { nodePath = process.execPath, shellPath = '/bin/sh' } = options;
  const folder = makeFolder({ ...options, nodePath, shellPath });
  const script = join(folder, 'workspace-daemon.cjs');
  try {
    return { folder, daemon: await makeSnapshot(nodePath, script) };
  } catch (error) {
    return { folder, daemon: script, whySlow: error instanceof Error ? error.message : String(error) };
  }
}

function makeFolder({
  dataDir,
  daemonPath,
  nodePath,
  shellPath,
  areProgramsReadable,
  certificate,
}: Required<RootfsOptions>): string {
  const daemon = readFileSync(daemonPath);
  const system = existsSync(systemBundle) ? readFileSync(systemBundle, 'utf8') : '';
  const bundle = `${system.trimEnd()}\n${certificate}`;
  const programs = [nodePath, shellPath].map((path) => statSync(path)).map(({ size, mtimeMs }) => [size, mtimeMs]);
  const id = createHash('sha256')
    .update(daemon)
    .update(JSON.stringify([programs, etc, areProgramsReadable, bundle]))
    .digest('hex')
    .slice(0, 16);
  const folder = join(dataDir, 'sandbox-kits', id);
  if (noteRootfsUse(folder)) return folder;
  const draft = `${folder}.${process.pid}`;
  rmSync(draft, { recursive: true, force: true });
  mkdirSync(join(draft, 'etc'), { recursive: true, mode: 0o755 });
  for (const [name, content] of Object.entries(etc)) writeFileSync(join(draft, 'etc', name), content, { mode: 0o644 });
  const trust: Record<keyof typeof trustFiles, string | Buffer> = {
    'bundle.pem': bundle,
    'java.jks': javaStoreOf(bundle),
    'ca.pem': certificate,
  };
  mkdirSync(join(draft, 'trust'), { mode: 0o755 });
  for (const [name, content] of Object.entries(trust))
    writeFileSync(join(draft, 'trust', name), content, { mode: 0o644 });
  writeFileSync(join(draft, 'workspace-daemon.cjs'), daemon, { mode: 0o644 });
  for (const [name, path] of [
    ['node', nodePath],
    ['sh', shellPath],
  ] as const) {
    copyFileSync(path, join(draft, name));
    // Executable but not readable: the kernel then hides the memory, handles and environment of whoever runs it from the
    // agent's commands, though they run as the same user.
    chmodSync(join(draft, name), areProgramsReadable ? 0o555 : 0o111);
  }
  renameSync(draft, folder);
  return folder;
}

/**
 * Makes a snapshot of the loaded daemon beside its script, once for this Node, its flags and this processor, and returns
 * the snapshot's path. It holds nothing of the host, not even the folder's name: it is made without environment, and the
 * script under a name that is the same everywhere.
 * Errors: why this Node cannot; the daemon then has to be started from its script.
 */
async function makeSnapshot(node: string, script: string): Promise<string> {
  const folder = join(script, '..');
  const snapshot = join(folder, `workspace-daemon-${cachedDataVersionTag().toString(16)}.blob`);
  if (existsSync(snapshot)) return snapshot;
  const draft = `${basename(snapshot)}.${process.pid}`;
  try {
    const make = ['--no-warnings', '--snapshot-blob', draft, '--build-snapshot', `/proc/self/cwd/${basename(script)}`];
    await run(node, [...daemonFlags, ...make], { cwd: folder, env: {} });
    await chmod(join(folder, draft), 0o444);
    await rename(join(folder, draft), snapshot);
  } finally {
    await rm(join(folder, draft), { force: true });
  }
  return snapshot;
}
