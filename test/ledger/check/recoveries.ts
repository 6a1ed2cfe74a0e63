import type { Line } from '../record.js';

export interface Recovery {
  faults: number;
  longestMs: number;
  longestWhat: string;
}

interface Open {
  fault: string;
  what: string;
  at: number;
}

/**
 * How long each fault was felt: from its begin until a message that was sent after it has been both accepted and answered.
 * Faults that overlap are each counted with what the others add.
 */
export class Recoveries {
  readonly faults: { fault: string; what: string }[] = [];
  private readonly sentAt = new Map<number, number>();
  /** When messages were sent, by id. */
  private readonly accepted = new Map<string, number>();
  private open: Open[] = [];
  private readonly recoveries = new Map<string, Recovery>();

  take(line: Line): void {
    if (line.kind === 'fault') {
      const { fault, what } = line;
      this.faults.push({ fault, what });
      this.open.push({ fault, what, at: line.t });
    } else if (line.kind === 'sent') this.sentAt.set(line.n, line.t);
    else if (line.kind === 'accepted') {
      this.accepted.set(line.id, this.sentAt.get(line.n) ?? line.t);
      this.sentAt.delete(line.n);
    } else if (line.kind === 'event' && line.type === 'message.completed') {
      const sentAt = Math.max(...line.messages.map((id) => this.accepted.get(id) ?? 0));
      for (const id of line.messages) this.accepted.delete(id);
      const over = this.open.filter(({ at }) => sentAt >= at);
      for (const fault of over) this.close(fault, line.t - fault.at);
      if (over.length > 0) this.open = this.open.filter((fault) => !over.includes(fault));
    }
  }

  byFault(): Map<string, Recovery> {
    return this.recoveries;
  }

  private close({ fault, what }: Open, ms: number): void {
    const known = this.recoveries.get(fault) ?? { faults: 0, longestMs: 0, longestWhat: '' };
    known.faults += 1;
    if (ms > known.longestMs) Object.assign(known, { longestMs: ms, longestWhat: what });
    this.recoveries.set(fault, known);
  }
}
