import { setTimeout as sleep } from 'node:timers/promises';
import type { Record } from '../record.js';
import type { Client } from './client.js';

export interface FileLoadOptions {
  client: Client;
  record: Record;
  /** Between two writes to one agent. */
  everyMs: number;
}

const REQUEST_TIMEOUT_MS = 40_000;
const RETRY_MS = 500;
/** Long enough for more than one page and one piece on the way. */
const REPEATS = 2_000;

/**
 * Writes a file after the other into each agent's workspace, and records those that were acknowledged. A write without a
 * 2xx is repeated: it says the same again.
 */
export class FileLoad {
  private readonly written: { agent: string; path: string }[] = [];
  /** Requests that got no 2xx, with what they got instead. */
  readonly refusals = new Map<string, number>();

  constructor(private readonly options: FileLoadOptions) {}

  /** A first file for each agent, one after the other. */
  async wake(agents: string[]): Promise<void> {
    for (const agent of agents) await this.write(agent, 'first.txt', `the first of ${agent}`, () => false);
  }

  async run(agents: string[], isOver: () => boolean): Promise<void> {
    await Promise.all(
      agents.map(async (agent, index) => {
        await sleep((index / agents.length) * this.options.everyMs);
        for (let count = 0; !isOver(); count += 1) {
          await this.write(agent, `files/${count}.txt`, `file ${count} of ${agent}\n`, isOver);
          await sleep(this.options.everyMs);
        }
      }),
    );
  }

  /** Records what is there now of what was acknowledged. */
  async read(): Promise<void> {
    for (const { agent, path } of this.written) {
      const content = await this.contentOf(agent, path);
      this.options.record.write({ kind: 'read', agent, path, content: content && shortened(content) });
    }
  }

  private async write(agent: string, path: string, line: string, isOver: () => boolean): Promise<void> {
    const content = line.repeat(REPEATS);
    const body = JSON.stringify({ content, overwrite: true });
    for (;;) {
      const answer = await this.ask(agent, path, { method: 'POST', body }).catch((error: unknown) => String(error));
      if (typeof answer !== 'string' && answer.status === 201) break;
      const why = typeof answer === 'string' ? answer : `${answer.status} ${answer.text}`;
      const kind = why.replace(/[0-9a-f-]{36}/g, '…').slice(0, 160);
      this.refusals.set(kind, (this.refusals.get(kind) ?? 0) + 1);
      if (isOver()) return;
      await sleep(RETRY_MS);
    }
    this.written.push({ agent, path });
    this.options.record.write({ kind: 'written', agent, path, content: shortened(content) });
  }

  /** null: there is none. */
  private async contentOf(agent: string, path: string): Promise<string | null> {
    const url = `/v1/agent/${agent}/filesystem/files/${path}`;
    const first = await this.options.client.once('GET', url).catch(() => undefined);
    if (first?.status === 404) return null;
    return (await this.options.client.ask<{ content: string }>('GET', url)).content;
  }

  private async ask(agent: string, path: string, init: RequestInit): Promise<{ status: number; text: string }> {
    const { client } = this.options;
    const response = await fetch(`${client.nextUrl}/v1/agent/${agent}/filesystem/files/${path}`, {
      ...init,
      headers: { authorization: `Bearer ${client.access.apiKey}`, 'content-type': 'application/json' },
      signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
    });
    return { status: response.status, text: await response.text() };
  }
}

/** As much of a content as tells it from any other: its length, its begin, and a sum of all of it. */
function shortened(content: string): string {
  let sum = 0;
  for (let at = 0; at < content.length; at += 1) sum = (Math.imul(sum, 31) + content.charCodeAt(at)) | 0;
  return `${content.length} ${sum >>> 0} ${content.slice(0, 60)}`;
}
