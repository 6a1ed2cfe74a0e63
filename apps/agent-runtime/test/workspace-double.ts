import {
  cancelExec,
  deletePaths,
  execCommand,
  listDirectory,
  pingWorkspace,
  readFile,
  type RequestContract,
  RoostError,
  searchFiles,
  subjectOf,
  writeFile,
} from '#lib/contracts';
import { type Handler, serve } from '#lib/rpc';
import type { NatsConnection, Subscription } from '@nats-io/transport-node';
import type { z } from 'zod';

type ExecResult = z.output<typeof execCommand.output>;

/** A workspace's answers on a real bus, its files in memory. Commands do what `onCommand` says, until cancelled. */
export class WorkspaceDouble {
  readonly files = new Map<string, Buffer>();
  readonly commands: string[] = [];
  readonly cancelled: string[] = [];
  bootId = 'boot-1';
  /** What a search finds. */
  found: { path: string; matches: { line: number; text: string }[] }[] = [];
  /** Awaited before a file is read by a tool. */
  onRead: ((path: string) => Promise<void>) | undefined;
  onCommand: (command: string, cancelled: Promise<void>) => Promise<Partial<ExecResult>> | Partial<ExecResult> = (
    command,
  ) => ({ stdout: `ran ${command}\n` });
  private readonly subscriptions: Subscription[] = [];
  private readonly cancels = new Map<string, () => void>();

  constructor(
    private readonly connection: NatsConnection,
    private readonly agentId: string,
  ) {}

  start(): void {
    this.on(pingWorkspace, () => ({ bootId: this.bootId, uptimeMs: 1e9 }));
    this.on(readFile, async ({ path, offset = 0, length, encoding }) => {
      if (!path.startsWith('memory')) await this.onRead?.(path);
      const file = this.files.get(path);
      if (!file) throw new RoostError('NOT_FOUND', `there is no file ${path}`);
      const bytes = file.subarray(offset, length === undefined ? undefined : offset + length);
      return {
        path: `/workspace/${path}`,
        content: bytes.toString(encoding === 'base64' ? 'base64' : 'utf8'),
        encoding,
        size: file.length,
        modifiedAt: new Date(),
        etag: 'e',
      };
    });
    this.on(writeFile, ({ path, content, encoding, overwrite }) => {
      if (this.files.has(path) && !overwrite) throw new RoostError('ALREADY_EXISTS', `${path} exists`);
      const bytes = Buffer.from(content, encoding === 'base64' ? 'base64' : 'utf8');
      this.files.set(path, bytes);
      return { path: `/workspace/${path}`, size: bytes.length, createdAt: new Date(), etag: 'e' };
    });
    this.on(listDirectory, ({ path }) => ({
      path: '/workspace',
      entries: [...this.files]
        .map(([name, bytes]) => ({ name, type: 'file' as const, size: bytes.length, modifiedAt: new Date() }))
        .filter(({ name }) => name.startsWith(path)),
      nextCursor: null,
    }));
    this.on(searchFiles, () => ({
      results: this.found.map((file) => ({ ...file, type: 'file' as const, size: 1 })),
      total: this.found.length,
      truncated: false,
    }));
    this.on(deletePaths, ({ paths }) => {
      for (const name of this.files.keys())
        if (paths.some((path) => name === path || name.startsWith(`${path}/`))) this.files.delete(name);
      return { results: paths.map((path) => ({ path, success: true })) };
    });
    this.on(execCommand, async ({ execId, command }) => {
      this.commands.push(command);
      const cancelled = new Promise<void>((resolve) => this.cancels.set(execId, resolve));
      return {
        exitCode: 0,
        signal: null,
        stdout: '',
        stderr: '',
        timedOut: false,
        cancelled: false,
        durationMs: 1,
        ...(await this.onCommand(command, cancelled)),
      };
    });
    this.on(cancelExec, ({ execId }) => {
      this.cancelled.push(execId);
      this.cancels.get(execId)?.();
      return { cancelled: true };
    });
  }

  stop(): void {
    for (const subscription of this.subscriptions.splice(0)) subscription.unsubscribe();
  }

  private on<I extends z.ZodType, O extends z.ZodType>(contract: RequestContract<I, O>, handle: Handler<I, O>): void {
    this.subscriptions.push(
      serve(this.connection, contract, subjectOf(contract, { agentId: this.agentId }), handle, (error) =>
        console.error(error),
      ),
    );
  }
}
