import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '#lib/testing';

export interface FileLoadOptions {
  urls: string[];
  apiKey: string;
  /** Between two writes to one agent. */
  everyMs: number;
}

interface Written {
  agentId: string;
  path: string;
  content: string;
}

const REQUEST_TIMEOUT_MS = 40_000;

/**
 * Writes a file after the other into each agent's container, and keeps those that were acknowledged. A write without a
 * 2xx is repeated: it says the same again.
 */
export class FileLoad {
  readonly written: Written[] = [];
  /** Requests that got no 2xx, with what they got instead. */
  readonly refusals = new Map<string, number>();
  private calls = 0;

  constructor(private readonly options: FileLoadOptions) {}

  /** A first file for each agent, one after the other. */
  async wake(agentIds: string[]): Promise<void> {
    for (const agentId of agentIds) {
      const file = { agentId, path: 'first.txt', content: `the first of ${agentId}` };
      await until(`agent ${agentId} has its first file`, () => this.write(file));
      this.written.push(file);
    }
  }

  async run(agentIds: string[], isOver: () => boolean): Promise<void> {
    await Promise.all(
      agentIds.map(async (agentId, index) => {
        await sleep((index / agentIds.length) * this.options.everyMs);
        for (let count = 0; !isOver(); count += 1) {
          const path = `files/${count}.txt`;
          const content = `file ${count} of ${agentId}`;
          while (!isOver()) {
            const file = { agentId, path, content };
            if (await this.write(file)) {
              this.written.push(file);
              break;
            }
            await sleep(500);
          }
          await sleep(this.options.everyMs);
        }
      }),
    );
  }

  /** What was acknowledged and is not there as it was written. */
  async lost(): Promise<string[]> {
    const lost: string[] = [];
    for (const { agentId, path, content } of this.written) {
      const found = await until(`${path} of ${agentId} is read`, () => this.read(agentId, path));
      if (found.content !== content) lost.push(`${path} of agent ${agentId}: ${JSON.stringify(found)}`);
    }
    return lost;
  }

  private async write({ agentId, path, content }: Written): Promise<boolean> {
    const body = JSON.stringify({ content, overwrite: true });
    const answer = await this.ask(agentId, path, { method: 'POST', body }).catch((error: unknown) => String(error));
    if (typeof answer !== 'string' && answer.status === 201) return true;
    const why = typeof answer === 'string' ? answer : `${answer.status} ${answer.text}`;
    const kind = why.replace(/[0-9a-f-]{36}/g, '…').slice(0, 160);
    this.refusals.set(kind, (this.refusals.get(kind) ?? 0) + 1);
    return false;
  }

  private async read(agentId: string, path: string): Promise<{ content?: string } | false> {
    const answer = await this.ask(agentId, path, { method: 'GET' }).catch(() => undefined);
    if (answer?.status === 404) return {};
    return answer?.status === 200 && (JSON.parse(answer.text) as { content: string });
  }

  private async ask(agentId: string, path: string, init: RequestInit): Promise<{ status: number; text: string }> {
    const { urls, apiKey } = this.options;
    const url = urls[this.calls++ % urls.length] ?? '';
    const response = await fetch(`${url}/v1/agent/${agentId}/filesystem/files/${path}`, {
      ...init,
      headers: {
        authorization: `Bearer ${apiKey}`,
        ...(init.body ? { 'content-type': 'application/json' } : {}),
      },
      signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
    });
    return { status: response.status, text: await response.text() };
  }
}
