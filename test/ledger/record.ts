import { closeSync, createReadStream, openSync, writeSync } from 'node:fs';
import { createInterface } from 'node:readline';

/** What an outside client did or saw, one line each. Messages are known by their number, which is in their text. */
export type Seen =
  | { kind: 'sent'; n: number; agent: string; conversation: string; via: 'api' | 'chat' }
  /** 2xx was seen. */
  | { kind: 'accepted'; n: number; id: string }
  /** By the agent's event stream. */
  | { kind: 'event'; agent: string; id: string; type: string; messages: string[]; turn?: string; code?: string }
  /** A message of an agent's list, in the list's order, read at the end. */
  | { kind: 'listed'; agent: string; conversation: string; role: 'user' | 'assistant'; numbers: number[] }
  /** One request to the receiver. `id`: its webhook-id. */
  | { kind: 'webhook'; id: string; type: string; message: string }
  /** What a chat holds at the end, or what its list of deliveries says may be shown or not. */
  | { kind: 'shown' | 'uncertain'; chat: string; numbers: number[] }
  /** From when until when a schedule was there, epoch ms. */
  | { kind: 'schedule'; schedule: string; from: number; until: number; everyMs: number }
  | { kind: 'slot'; schedule: string; at: string; status: string; everyMs: number }
  | { kind: 'written'; agent: string; path: string; content: string }
  /** null: there is no such file. */
  | { kind: 'read'; agent: string; path: string; content: string | null }
  /** What a provider told an answer to have used, when its connection ended. */
  | { kind: 'told'; steps: number; input: number; output: number; ended: number }
  /** What the usage report says in the end. */
  | { kind: 'usage'; steps: number; input: number; output: number }
  | { kind: 'refusal'; why: string }
  /** `endsWorkers`: whether processes of agent-runtime were killed by it. */
  | { kind: 'fault'; fault: string; what: string; endsWorkers: boolean }
  /** Its cause is over. */
  | { kind: 'healed'; fault: string }
  | { kind: 'end' };

/** `t`: epoch ms of the client's clock. */
export type Line = Seen & { t: number };

/** The client's own record: a file that only grows. */
export class Record {
  private readonly file: number;
  private numbers = 0;

  constructor(readonly path: string) {
    this.file = openSync(path, 'ax', 0o600);
  }

  write(seen: Seen): void {
    writeSync(this.file, `${JSON.stringify({ t: Date.now(), ...seen })}\n`);
  }

  /** For the next message, whoever sends it. */
  nextNumber(): number {
    return this.numbers++;
  }

  close(): void {
    closeSync(this.file);
  }
}

export async function* readRecord(path: string): AsyncGenerator<Line> {
  for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Infinity }))
    yield JSON.parse(line) as Line;
}
