import type { Line } from '../record.js';
import type { Finding } from './check-record.js';

interface Entry {
  agent: string;
  conversation: string;
  sentAt: number;
  acceptedAt?: number;
  id?: string;
  stored: number;
  replies: number;
}

/** What streams said of a message, which may be before its sender knew its id. */
interface Told {
  created: Set<string>;
  turns: Set<string>;
  webhookIds: Set<string>;
  webhooks: number;
  answeredAt?: number;
  failure?: string;
}

/** Messages through the API: stored once, answered once, in order, in time, and each reported by its webhook. */
export class MessageChecks {
  private readonly entries = new Map<number, Entry>();
  private readonly told = new Map<string, Told>();
  private readonly seenEvents = new Set<string>();
  /** By conversation and role, the greatest number so far in the list. */
  private readonly latest = new Map<string, number>();
  private readonly own: Finding[] = [];
  private endedAt = 0;
  private hasWebhooks = false;

  constructor(private readonly stuckMs: number) {}

  take(line: Line): void {
    switch (line.kind) {
      case 'sent':
        if (line.via === 'api') {
          const { agent, conversation, t: sentAt } = line;
          this.entries.set(line.n, { agent, conversation, sentAt, stored: 0, replies: 0 });
        }
        return;
      case 'accepted':
        Object.assign(this.entries.get(line.n) ?? {}, { acceptedAt: line.t, id: line.id });
        return;
      case 'event':
        return this.takeEvent(line);
      case 'webhook': {
        this.hasWebhooks = true;
        const told = this.toldOf(line.message);
        told.webhooks += 1;
        told.webhookIds.add(line.id);
        return;
      }
      case 'listed':
        return this.takeListed(line);
      case 'end':
        this.endedAt = line.t;
    }
  }

  findings(): Finding[] {
    const findings = [...this.own];
    for (const [n, entry] of this.entries) {
      const told = this.told.get(entry.id ?? '');
      const say = (promise: Finding['promise'], kind: string, what = kind) =>
        findings.push({
          promise,
          kind,
          what: `message ${n} (${entry.id ?? 'no id'}) of ${new Date(entry.sentAt).toISOString()}: ${what}`,
        });
      const turns = told?.turns.size ?? 0;
      const { stored, replies, acceptedAt } = entry;
      if (stored > 1 || replies > 1 || turns > 1 || (told?.created.size ?? 0) > 1)
        say('answered', 'more than once', `stored ${stored} times, answered ${replies} times by ${turns} turns`);
      if (acceptedAt === undefined) {
        say('accepted', 'was never accepted');
        continue;
      }
      if (told?.failure !== undefined) say('answered', `ended with ${told.failure}`);
      else if (stored === 0 || replies === 0)
        say('answered', 'never', `accepted, but stored ${stored} times and answered ${replies} times`);
      else if (told?.answeredAt === undefined || told.created.size === 0)
        say('answered', 'answered, but its events never came');
      const waitedMs = (told?.answeredAt ?? this.endedAt) - acceptedAt;
      if (waitedMs > this.stuckMs) say('time', 'waited longer', `waited ${Math.round(waitedMs / 1_000)} s`);
      if (this.hasWebhooks && told?.answeredAt !== undefined) {
        if (told.webhooks === 0) say('webhooks', 'no webhook came');
        if (told.webhookIds.size > 1)
          say('webhooks', 'several ids', `its webhook came with ${told.webhookIds.size} ids`);
      }
    }
    return findings;
  }

  counts() {
    const all = [...this.entries.values()];
    const told = [...this.told.values()];
    const webhooks = told.reduce((sum, one) => sum + one.webhooks, 0);
    return {
      sent: all.length,
      accepted: all.filter(({ acceptedAt }) => acceptedAt !== undefined).length,
      answered: all.filter(({ replies }) => replies > 0).length,
      webhooks,
      repeatedWebhooks: webhooks - told.filter((one) => one.webhooks > 0).length,
    };
  }

  latencies(): number[] {
    const waits = [...this.entries.values()].flatMap(({ id = '', acceptedAt = 0 }) => {
      const answeredAt = this.told.get(id)?.answeredAt;
      return answeredAt === undefined ? [] : [Math.max(0, answeredAt - acceptedAt)];
    });
    return waits.sort((a, b) => a - b);
  }

  private takeEvent(line: Line & { kind: 'event' }): void {
    // An event is sent to one stream once, however often it connects.
    const key = `${line.type} ${line.id}`;
    if (this.seenEvents.has(key))
      this.own.push({ promise: 'answered', kind: 'an event twice', what: `an event was sent twice: ${key}` });
    this.seenEvents.add(key);
    for (const id of line.messages) {
      const told = this.toldOf(id);
      if (line.type === 'message.created') told.created.add(line.id);
      else if (line.type === 'message.failed') told.failure = line.code ?? 'an error';
      else {
        told.turns.add(line.turn ?? line.id);
        told.answeredAt ??= line.t;
      }
    }
  }

  private takeListed(line: Line & { kind: 'listed' }): void {
    const place = `${line.role} ${line.agent} ${line.conversation}`;
    for (const n of line.numbers) {
      const entry = this.entries.get(n);
      if (entry && line.role === 'user') entry.stored += 1;
      if (entry && line.role === 'assistant') entry.replies += 1;
      const latest = this.latest.get(place) ?? -1;
      if (n < latest)
        this.own.push({ promise: 'order', kind: 'another order', what: `${place}: ${n} comes after ${latest}` });
      this.latest.set(place, n);
    }
  }

  private toldOf(id: string): Told {
    const known = this.told.get(id);
    if (known) return known;
    const told: Told = { created: new Set(), turns: new Set(), webhookIds: new Set(), webhooks: 0 };
    this.told.set(id, told);
    return told;
  }
}
