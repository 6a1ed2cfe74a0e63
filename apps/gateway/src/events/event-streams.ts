import { BeforeApplicationShutdown, Injectable } from '@nestjs/common';
import { quotaExceeded } from '#lib/quotas';
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { onClose } from '../http/on-close.js';

const HEARTBEAT_MS = 15_000;
/** What may wait in memory for one reader, and as much again of deltas that wait for what came before them. */
export const MAX_UNREAD_BYTES = 1024 * 1024;
/** How long a reader may take to read what waits; also how long a cut one has for the event that says so. */
const PATIENCE_MS = 15_000;
/** One that may not read on has less: what was revoked ends within 2 s, a check each second included. */
const FINISH_MS = 500;

/**
 * One reader's stream of server-sent events. A reader that does not keep up is cut: it gets `stream.cut` at the
 * end of what it has not read yet, and resumes by Last-Event-ID. What waits for it in memory is bounded.
 */
export class EventStream {
  private readonly heartbeat: NodeJS.Timeout;
  private readonly closed = new AbortController();

  constructor(private readonly response: ServerResponse) {
    this.heartbeat = setInterval(() => this.write(': still here\n\n'), HEARTBEAT_MS).unref();
    onClose(response, () => {
      clearInterval(this.heartbeat);
      this.closed.abort();
    });
  }

  get isOpen(): boolean {
    return !this.response.destroyed && !this.response.writableEnded;
  }

  /** Sends where the reader begins: one that is cut before its first event would else not know what it missed. */
  begin(id: string): void {
    this.write(`id: ${id}\n\n`);
  }

  send(type: string, id: string | undefined, data: unknown): void {
    this.write(frame(type, id, data));
  }

  /** Waits until the reader has read most of what was sent, for whoever has more: it is not cut for being asked much. */
  async ready(): Promise<void> {
    if (!this.isOpen || !this.response.writableNeedDrain) return;
    const patience = AbortSignal.timeout(PATIENCE_MS);
    const isRead = await once(this.response, 'drain', { signal: AbortSignal.any([patience, this.closed.signal]) }).then(
      () => true,
      () => !patience.aborted,
    );
    if (!isRead) this.cut();
  }

  end(): void {
    this.response.end();
  }

  /** The last event; a reader that does not take it is cut off soon. */
  finish(type: string, data: unknown): void {
    if (!this.isOpen) return;
    this.response.end(frame(type, undefined, data));
    this.destroyAfter(FINISH_MS);
  }

  /** Ends the stream of a reader that does not keep up. */
  cut(): void {
    const message = 'You read more slowly than events come. Connect again with Last-Event-ID to go on where you were.';
    this.response.end(frame('stream.cut', undefined, { reason: 'too_slow', message }));
    this.destroyAfter(PATIENCE_MS);
  }

  private write(text: string): void {
    if (!this.isOpen) return;
    if (this.response.writableLength > MAX_UNREAD_BYTES) this.cut();
    else this.response.write(text);
  }

  private destroyAfter(ms: number): void {
    const timer = setTimeout(() => this.response.destroy(), ms).unref();
    onClose(this.response, () => clearTimeout(timer));
  }
}

function frame(type: string, id: string | undefined, data: unknown): string {
  return `${id === undefined ? '' : `id: ${id}\n`}event: ${type}\ndata: ${JSON.stringify(data)}\n\n`;
}

/** The streams that are open, so that the gateway can end them when it stops: readers come back by themselves. */
@Injectable()
export class EventStreams implements BeforeApplicationShutdown {
  private readonly open = new Set<EventStream>();
  private readonly openByAccount = new Map<string, number>();

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
    onClose(response, () => this.open.delete(stream));
    return stream;
  }

  /** Streams of the account that this gateway holds open, those that are about to begin included. */
  openOf(accountId: string): number {
    return this.openByAccount.get(accountId) ?? 0;
  }

  /**
   * Takes a slot for a stream of the account, which is given back when the response closes, however that comes.
   * False when its reader has gone already. Errors: QUOTA_EXCEEDED.
   */
  take(accountId: string, limit: number, response: ServerResponse): boolean {
    if (response.destroyed) return false;
    const used = this.openOf(accountId);
    if (used >= limit) throw quotaExceeded('event_streams', limit, used);
    this.openByAccount.set(accountId, used + 1);
    onClose(response, () => {
      const left = this.openOf(accountId) - 1;
      if (left > 0) this.openByAccount.set(accountId, left);
      else this.openByAccount.delete(accountId);
    });
    return true;
  }

  beforeApplicationShutdown(): void {
    for (const stream of this.open) stream.end();
  }
}
