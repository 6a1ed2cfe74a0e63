import { BeforeApplicationShutdown, Injectable } from '@nestjs/common';
import type { ServerResponse } from 'node:http';

const HEARTBEAT_MS = 15_000;
/** A reader that is this far behind is cut off; it resumes by Last-Event-ID. */
const MAX_UNREAD_BYTES = 4 * 1024 * 1024;

/** One reader's stream of server-sent events. */
export class EventStream {
  private readonly heartbeat: NodeJS.Timeout;

  constructor(private readonly response: ServerResponse) {
    this.heartbeat = setInterval(() => this.write(': still here\n\n'), HEARTBEAT_MS).unref();
    response.once('close', () => clearInterval(this.heartbeat));
  }

  get isOpen(): boolean {
    return !this.response.destroyed && !this.response.writableEnded;
  }

  send(type: string, id: string | undefined, data: unknown): void {
    this.write(`${id ? `id: ${id}\n` : ''}event: ${type}\ndata: ${JSON.stringify(data)}\n\n`);
  }

  end(): void {
    this.response.end();
  }

  private write(text: string): void {
    if (!this.isOpen) return;
    if (this.response.writableLength > MAX_UNREAD_BYTES) this.response.destroy();
    else this.response.write(text);
  }
}

/** The streams that are open, so that the gateway can end them when it stops: readers come back by themselves. */
@Injectable()
export class EventStreams implements BeforeApplicationShutdown {
  private readonly open = new Set<EventStream>();

  start(response: ServerResponse, headers: Record<string, string>): EventStream {
    response.writeHead(200, {
      ...headers,
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    });
    response.flushHeaders();
    const stream = new EventStream(response);
    this.open.add(stream);
    response.once('close', () => this.open.delete(stream));
    return stream;
  }

  beforeApplicationShutdown(): void {
    for (const stream of this.open) stream.end();
  }
}
