import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type EgressGrant, type EgressPolicy, FromEgress, type ToEgress } from '#lib/contracts';
import type { z } from 'zod';
import { SandboxOutput } from '../sandbox-output.js';
import type { EgressAuthority } from './authority.js';

/** The bundle that the build leaves beside the services, seen from the source as from the build. */
const program = fileURLToPath(
  import.meta.url.replace(/(\/dist)?\/apps\/agent-lifecycle\/src\/.*$/, '/dist/egress-proxy.mjs'),
);
const heapMb = 256;
/** All of its memory: heap, buffers of connections, and what Node reserves for code and never fills (512 MiB). */
const memoryKb = (768 + 512) * 1024;
/** Users that own nothing: below those of local workspaces, and one for containers that map few users. */
const uids = [1_699_999_999, 64_999];
const startMs = 10_000;

/** Sets the limits of memory and core dumps. Images of the services hold no shell: there the container's count. */
function limited(): string[] {
  const script = 'ulimit -c 0; ulimit -d "$1"; shift; exec "$@"';
  return existsSync('/bin/sh') ? ['/bin/sh', '-c', script, 'roost-egress', String(memoryKb)] : [];
}

type Said = z.output<typeof FromEgress>;

export interface EgressChildOptions {
  authority: EgressAuthority;
  allowedRanges: string[];
  /** How long a request waits for a person's decision. */
  askHoldMs: number;
  /** Arguments of Node, before the program's. */
  nodeArguments?: string[] | undefined;
  onLog(line: string): void;
  onMessage(message: Exclude<Said, { type: 'ready' | 'agent-set' }>): void;
}

/** One egress process (apps/egress-proxy), of its own user where this one is root. */
export class EgressChild {
  /** Resolves when it is gone. */
  readonly ended: Promise<void>;
  readonly ready: Promise<void>;
  private readonly child: ChildProcess;
  private readonly folder = mkdtempSync(join(tmpdir(), 'roost-egress-'));
  private readonly sets = new Map<number, (path: string) => void>();
  private sent = 0;
  private isReady: () => void = () => undefined;

  constructor(private readonly options: EgressChildOptions) {
    const { authority, allowedRanges, askHoldMs, nodeArguments = [], onLog } = options;
    // Its heap is small and it makes a buffer for each 16 KiB: threads that help collect cost more than they help.
    const memory = [`--max-old-space-size=${heapMb}`, '--single-threaded-gc'];
    const node = [process.execPath, ...nodeArguments, ...memory, program];
    const [file = '', ...args] = [...limited(), ...node];
    this.child = spawn(file, args, {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      // Its own session: a signal from a terminal is for the services, which end it.
      detached: true,
      env: environment(),
    });
    const output = new SandboxOutput(onLog);
    if (this.child.stderr) output.follow(this.child.stderr);
    this.child.on('message', (message) => this.take(message));
    this.child.on('error', () => undefined); // 'exit' follows, or `ready` takes too long
    this.ended = new Promise<void>((resolve) => {
      this.child.once('exit', () => resolve());
      this.child.once('error', () => resolve());
    }).then(() => rmSync(this.folder, { recursive: true, force: true }));
    this.ready = new Promise((resolve, reject) => {
      this.isReady = resolve;
      void this.ended.then(() => reject(new Error(`the egress process ended: ${output.lastLine || 'no message'}`)));
      setTimeout(() => {
        reject(new Error('the egress process did not start in time'));
        if (this.sent === 0) this.kill();
      }, startMs).unref();
    });
    this.ready.catch(() => undefined); // whoever needs it gets the error
    const isRoot = process.getuid?.() === 0;
    // The process makes a folder in it that is its own.
    if (isRoot) chmodSync(this.folder, 0o711);
    this.send({ type: 'start', folder: this.folder, allowedRanges, askHoldMs, authority, ...(isRoot ? { uids } : {}) });
  }

  get pid(): number | undefined {
    return this.child.pid;
  }

  /** Resolves with the path of the agent's listener, which goes by this then. Errors: the process ended. */
  async set(agentId: string, policy: EgressPolicy, grants: EgressGrant[]): Promise<string> {
    await this.ready;
    const id = (this.sent += 1);
    try {
      return await new Promise((resolve, reject) => {
        this.sets.set(id, resolve);
        void this.ended.then(() => reject(new Error('the egress process ended')));
        this.send({ type: 'agent', id, agentId, policy, grants });
      });
    } finally {
      this.sets.delete(id);
    }
  }

  send(message: ToEgress): void {
    if (this.child.connected) this.child.send(message, () => undefined); // `ended` says that it is gone
  }

  kill(): void {
    this.child.kill('SIGKILL');
  }

  private take(message: unknown): void {
    const parsed = FromEgress.safeParse(message);
    // It is ours, and says nothing else: one that does was taken over.
    if (!parsed.success) return this.kill();
    const { data } = parsed;
    if (data.type === 'ready') this.isReady();
    else if (data.type === 'agent-set') this.sets.get(data.id)?.(data.path);
    else this.options.onMessage(data);
  }
}

/** Where the operator's certificates are; nothing else of what the services were given. */
function environment(): Record<string, string> {
  const names = ['PATH', 'NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE', 'SSL_CERT_DIR'];
  return Object.fromEntries(names.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])));
}
