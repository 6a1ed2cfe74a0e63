import { appendFile, mkdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { encode, NetworkLogEntry } from '#lib/contracts';

export type EgressEntry = z.output<typeof NetworkLogEntry>;

const maxFileBytes = 1024 * 1024;
/** Entries of one agent that wait for the disk; more are dropped, so that no agent fills the memory. */
const maxWaiting = 500;

/**
 * What each agent reached, or was refused: the last one to two megabytes of it, in `<dataDir>/egress/<agentId>.jsonl`.
 * Not promised: the entries of the moment in which the machine lost power, nor every one of hundreds at once.
 */
export class EgressLog {
  private readonly folder: string;
  private tail: Promise<unknown>;
  private readonly waiting = new Map<string, string[]>();

  constructor(dataDir: string) {
    this.folder = join(dataDir, 'egress');
    this.tail = mkdir(this.folder, { recursive: true, mode: 0o700 });
  }

  append(agentId: string, entry: EgressEntry): Promise<void> {
    const line = `${JSON.stringify(encode(NetworkLogEntry, entry))}\n`;
    const waiting = this.waiting.get(agentId);
    if (waiting) {
      if (waiting.length < maxWaiting) waiting.push(line);
      return Promise.resolve();
    }
    const file = this.fileOf(agentId);
    const lines = [line];
    this.waiting.set(agentId, lines);
    // One after the other, so that lines do not mix and a rotation happens between two writes.
    const turn = this.tail.then(() => {
      this.waiting.delete(agentId);
      return this.write(file, lines.join(''));
    });
    this.tail = turn.catch(() => undefined);
    return turn;
  }

  /** The latest entries, newest first. */
  async latest(agentId: string, limit: number): Promise<EgressEntry[]> {
    await this.tail;
    const file = this.fileOf(agentId);
    const texts = await Promise.all([`${file}.old`, file].map((path) => readFile(path, 'utf8').catch(() => '')));
    const lines = texts.join('').split('\n').filter(Boolean).slice(-limit);
    return lines.flatMap((line) => parse(line)).reverse();
  }

  async remove(agentId: string): Promise<void> {
    await this.tail;
    const file = this.fileOf(agentId);
    await Promise.all([rm(file, { force: true }), rm(`${file}.old`, { force: true })]);
  }

  private async write(file: string, lines: string): Promise<void> {
    const size = await stat(file).then(
      (stats) => stats.size,
      () => 0,
    );
    if (size > maxFileBytes) await rename(file, `${file}.old`);
    await appendFile(file, lines, { mode: 0o600 });
  }

  private fileOf(agentId: string): string {
    if (!/^[\w-]{1,64}$/.test(agentId)) throw new TypeError(`not an agent id: ${JSON.stringify(agentId)}`);
    return join(this.folder, `${agentId}.jsonl`);
  }
}

/** A line that a crash cut is left out. */
function parse(line: string): EgressEntry[] {
  try {
    return [NetworkLogEntry.parse(JSON.parse(line))];
  } catch {
    return [];
  }
}
