import { type AgentConfiguration, listDirectory, readFile, RoostError, writeFile } from '#lib/contracts';
import { tool, type ToolSet, zodSchema } from 'ai';
import { z } from 'zod';
import { memoryFile, type MemoryType } from '../context/memory.js';
import type { ToolContext } from './tool-context.js';
import type { ToolLock } from './tool-lock.js';
import { workspaceRequest } from './workspace-request.js';

const DEFAULT_MAX_MB = 1_024;
/** What a workspace gives in one answer, and `memory_read` shows whole. */
const MAX_FILE_BYTES = 512 * 1_024;
const Topic = z.string().regex(/^[a-z0-9][a-z0-9_-]{0,63}$/, 'must be a short name of a-z, 0-9, - and _');
const Content = z.string().max(100_000);

const Nothing = zodSchema(z.object({}));

const FlatNote = zodSchema(z.object({ content: Content, mode: z.enum(['append', 'replace']).default('append') }));

const TopicName = zodSchema(z.object({ topic: Topic }));

const TopicNote = zodSchema(
  z.object({
    topic: Topic,
    content: Content,
    summary: z.string().min(1).max(200),
    mode: z.enum(['append', 'replace']).default('append'),
  }),
);

/** `memory_read` and `memory_write`, for one file (`flat`) or a file per topic with an index (`hierarchical`). */
export function memoryTools(
  context: ToolContext,
  lock: ToolLock,
  config: NonNullable<AgentConfiguration['memoryConfig']>,
): ToolSet {
  const files = new MemoryFiles(context, (config.maxSizeMb ?? DEFAULT_MAX_MB) * 1_048_576);
  return config.type === 'flat' ? flatTools(files, lock) : topicTools(files, lock);
}

function flatTools(files: MemoryFiles, lock: ToolLock): ToolSet {
  return {
    memory_read: tool({
      description: 'Read your long-term memory.',
      inputSchema: Nothing,
      execute: () => lock.read(() => files.read(memoryFile('flat'), '[empty]')),
    }),
    memory_write: tool({
      description:
        'Keep something in your long-term memory: added at its end, or as its whole content with mode "replace".',
      inputSchema: FlatNote,
      execute: ({ content, mode }) =>
        lock.change(() => files.write(memoryFile('flat'), content, mode).then(() => 'Remembered.')),
    }),
  };
}

function topicTools(files: MemoryFiles, lock: ToolLock): ToolSet {
  return {
    memory_read: tool({
      description: 'Read a topic of your long-term memory.',
      inputSchema: TopicName,
      execute: ({ topic }) => lock.read(() => files.read(topicFile(topic))),
    }),
    memory_write: tool({
      description:
        'Keep something in a topic of your long-term memory; the summary is its line in the index that you always see.',
      inputSchema: TopicNote,
      execute: ({ topic, content, summary, mode }) =>
        lock.change(async () => {
          await files.write(topicFile(topic), content, mode);
          const index = await files.read(memoryFile('hierarchical'), '');
          const others = index.split('\n').filter((line) => line.trim() && !line.startsWith(`- ${topic}: `));
          await files.write(
            memoryFile('hierarchical'),
            [...others, `- ${topic}: ${summary.replaceAll('\n', ' ')}`].join('\n') + '\n',
            'replace',
          );
          return `Remembered under ${topic}.`;
        }),
    }),
  };
}

const topicFile = (topic: string) => `memory/${topic}.md`;

class MemoryFiles {
  constructor(
    private readonly context: ToolContext,
    private readonly maxBytes: number,
  ) {}

  /** Errors: NOT_FOUND, unless there is something to give instead. */
  async read(path: string, otherwise?: string): Promise<string> {
    try {
      return (
        await workspaceRequest(this.context, readFile, { agentId: this.context.agentId, path, encoding: 'utf-8' })
      ).content;
    } catch (error) {
      if (error instanceof RoostError && error.code === 'NOT_FOUND' && otherwise !== undefined) return otherwise;
      throw error;
    }
  }

  async write(path: string, content: string, mode: 'append' | 'replace'): Promise<void> {
    const before = await this.sizeOf(path);
    if (mode === 'append' && before > MAX_FILE_BYTES) throw isFull(path);
    const old = mode === 'append' && before > 0 ? `${withoutEmptyEnd(await this.read(path, ''))}\n` : '';
    const whole = old + content;
    const growth = Buffer.byteLength(whole) - before;
    if (growth > 0 && before + growth > MAX_FILE_BYTES) throw isFull(path);
    if (growth > 0 && (await this.size()) + growth > this.maxBytes) {
      throw new RoostError(
        'INSUFFICIENT_STORAGE',
        `the memory is full (${this.maxBytes / 1_048_576} MB): shorten a topic first`,
      );
    }
    await workspaceRequest(this.context, writeFile, {
      agentId: this.context.agentId,
      path,
      content: whole,
      encoding: 'utf-8',
      overwrite: true,
      mustExist: false,
    });
  }

  private async sizeOf(path: string): Promise<number> {
    const nothing = { offset: 0, length: 0, encoding: 'base64' as const };
    return workspaceRequest(this.context, readFile, { agentId: this.context.agentId, path, ...nothing }).then(
      ({ size }) => size,
      (error: unknown) => {
        if (error instanceof RoostError && error.code === 'NOT_FOUND') return 0;
        throw error;
      },
    );
  }

  /** Of all topics; one file is bounded by itself. */
  private async size(): Promise<number> {
    const list = await workspaceRequest(this.context, listDirectory, {
      agentId: this.context.agentId,
      path: 'memory',
      recursive: true,
      limit: 1_000,
    }).catch((error: unknown) => {
      if (error instanceof RoostError && error.code === 'NOT_FOUND') return { entries: [] };
      throw error;
    });
    return list.entries.reduce((sum, entry) => sum + entry.size, 0);
  }
}

const isFull = (path: string) =>
  new RoostError(
    'INSUFFICIENT_STORAGE',
    `${path} is full (${MAX_FILE_BYTES / 1_024} KiB): write what matters of it with mode "replace"`,
  );

/** What `memory_write` keeps, for wiping it at the end of a session. */
export const memoryPaths = (type: MemoryType) => (type === 'flat' ? ['MEMORY.md'] : ['memory']);

/** Not by a pattern: for each line feed that is not at the end it would look at all that follow. */
function withoutEmptyEnd(text: string): string {
  let end = text.length;
  while (text[end - 1] === '\n') end -= 1;
  return text.slice(0, end);
}
