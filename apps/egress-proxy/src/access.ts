import type { NetworkLogEntry } from '#lib/contracts';
import type { z } from 'zod';
import type { Destination } from '#lib/net-guard';

export type AccessEntry = z.output<typeof NetworkLogEntry>;

/** Writes the one entry that a request leaves, allowed or not. */
export class AccessRecord {
  private readonly startedAt = Date.now();
  private isWritten = false;

  constructor(
    private readonly onAccess: (entry: AccessEntry) => void,
    private readonly request: { method: string; host: string; port: number },
  ) {}

  refused(reason: string | null): void {
    this.write('refused', reason);
  }

  failed(reason: string): void {
    this.write('failed', reason);
  }

  done(bytesSent: number, bytesReceived: number): void {
    this.write('allowed', null, bytesSent, bytesReceived);
  }

  private write(verdict: AccessEntry['verdict'], reason: string | null, bytesSent = 0, bytesReceived = 0): void {
    if (this.isWritten) return;
    this.isWritten = true;
    const { method, host, port } = this.request;
    const at = new Date(this.startedAt);
    const durationMs = Date.now() - this.startedAt;
    this.onAccess({
      at,
      method,
      host: host.slice(0, 300),
      port,
      verdict,
      reason,
      bytesSent,
      bytesReceived,
      durationMs,
    });
  }
}

export type OnAccess = (entry: AccessEntry) => void;
export const recordOf = (onAccess: OnAccess, method: string, { host, port }: Destination) =>
  new AccessRecord(onAccess, { method, host, port });
