import { randomUUID } from 'node:crypto';
import { RoostError } from '#lib/contracts';

/** What a stream does with its parts; `close` is called once, whatever happened before. */
interface Parts {
  close(): Promise<void>;
}

export interface ReadParts extends Parts {
  next(): Promise<{ data: Buffer; isLast: boolean }>;
}

export interface WriteParts<R> extends Parts {
  write(data: Uint8Array): Promise<void>;
  finish(): Promise<R>;
}

interface Open<P extends Parts> {
  parts: P;
  nextPart: number;
  tail: Promise<unknown>;
  last: { data: Buffer; isLast: boolean } | undefined;
  bytes: number;
  idle: NodeJS.Timeout | undefined;
}

const idleMs = 60_000;
const maxOpen = 32;

/**
 * Transfers that are under way, in parts that the other side asks for or sends: nothing is sent that was not asked for,
 * so memory holds a part or two per stream. What nobody touches for a minute is given up.
 */
export class Streams<P extends Parts> {
  private readonly open = new Map<string, Open<P>>();

  /** Takes charge of a transfer: from here on it is closed by us. */
  async add(parts: P): Promise<string> {
    if (this.open.size >= maxOpen) {
      await parts.close();
      throw new RoostError('RATE_LIMITED', `at most ${maxOpen} transfers of this kind run at once`, [], 1);
    }
    const id = randomUUID();
    const stream: Open<P> = { parts, nextPart: 0, tail: Promise.resolve(), last: undefined, bytes: 0, idle: undefined };
    this.open.set(id, stream);
    this.touch(id, stream);
    return id;
  }

  async close(id: string): Promise<boolean> {
    const stream = this.open.get(id);
    if (!stream) return false;
    this.open.delete(id);
    clearTimeout(stream.idle);
    await stream.tail.catch(() => undefined);
    await stream.parts.close();
    return true;
  }

  /** Runs one step of a stream after those before it. */
  protected step<T>(id: string, work: (stream: Open<P>) => Promise<T>): Promise<T> {
    const stream = this.open.get(id);
    if (!stream)
      throw new RoostError('NOT_FOUND', 'this transfer does not exist any more; begin again', [
        { reason: 'stream_gone' },
      ]);
    this.touch(id, stream);
    const turn = stream.tail.then(() => work(stream));
    stream.tail = turn.catch(() => undefined);
    return turn;
  }

  private touch(id: string, stream: Open<P>): void {
    clearTimeout(stream.idle);
    stream.idle = setTimeout(() => void this.close(id), idleMs);
    stream.idle.unref();
  }
}

export class ReadStreams extends Streams<ReadParts> {
  /** The part with this number: the next one, or the last one again when its answer was lost. */
  async read(id: string, part: number): Promise<{ data: Buffer; isLast: boolean }> {
    const read = await this.step(id, async (stream) => {
      if (stream.last && part === stream.nextPart - 1) return stream.last;
      if (part !== stream.nextPart || stream.last?.isLast) throw outOfTurn();
      stream.last = await stream.parts.next();
      stream.nextPart += 1;
      return stream.last;
    });
    return read;
  }
}

export class WriteStreams<R> extends Streams<WriteParts<R>> {
  /** Takes the next part; one that was taken already is acknowledged again. */
  write(id: string, part: number, data: Uint8Array): Promise<number> {
    return this.step(id, async (stream) => {
      if (part === stream.nextPart - 1) return stream.bytes;
      if (part !== stream.nextPart) throw outOfTurn();
      await stream.parts.write(data);
      stream.nextPart += 1;
      stream.bytes += data.length;
      return stream.bytes;
    });
  }

  async finish(id: string): Promise<R> {
    try {
      return await this.step(id, (stream) => stream.parts.finish());
    } finally {
      await this.close(id);
    }
  }
}

function outOfTurn(): RoostError {
  return new RoostError('CONFLICT', 'a part of the transfer came out of turn');
}
