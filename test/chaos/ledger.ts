/** One message of the load, as its sender knows it. Times are the sender's clock, epoch ms. */
export interface Entry {
  n: number;
  agentId: string;
  conversationId: string;
  /** 2xx was seen at this time. */
  acceptedAt?: number;
  id?: string;
  /** Requests it took until the 2xx. */
  tries: number;
  /** When the event stream sent its reply. */
  answeredAt?: number;
  /** Distinct turns that the event stream reported to have answered it. */
  answeredBy: Set<string>;
  /** Distinct events `message.created` about it. */
  createdBy: Set<string>;
  /** The error it ended with. */
  failure?: string;
}

/** What is in the agent's list at the end, in its order. */
export interface Listed {
  id: string;
  role: 'user' | 'assistant';
  content: string;
  conversation_id: string;
}

export interface Verdict {
  ok: number;
  /** Accepted, and without a reply, or not in the list, or its events never came. */
  lost: number;
  /** Stored twice, answered twice, or sent twice. */
  duplicate: number;
  /** No 2xx was ever seen; it may be there or not. */
  unknown: number;
  /** Answered, or still waiting, more than `stuckMs` after it was accepted. */
  stuck: number;
  /** Accepted and then ended with an error. */
  failed: number;
  /** Neighbours in one conversation whose order is not that of sending. */
  misordered: number;
  /** What is wrong, one line each. */
  findings: string[];
  /** From 2xx to the event of the reply, sorted. */
  latenciesMs: number[];
}

export interface Evidence {
  entries: Entry[];
  /** By agent. */
  lists: Map<string, Listed[]>;
  /** Durable events that a stream sent more than once. */
  repeatedEvents: string[];
  marksIn(content: string): number[];
  answeredIn(reply: string): number[];
  stuckMs: number;
  endedAt: number;
}

/** Puts every message in one class, by what its sender, the event streams and the lists say. */
export function judge(evidence: Evidence): Verdict {
  const { entries, lists, stuckMs, endedAt } = evidence;
  const verdict: Verdict = {
    ok: 0,
    lost: 0,
    duplicate: 0,
    unknown: 0,
    stuck: 0,
    failed: 0,
    misordered: 0,
    findings: [],
    latenciesMs: [],
  };
  const stored = countMarks(lists, 'user', evidence.marksIn);
  const answered = countMarks(lists, 'assistant', evidence.answeredIn);
  for (const entry of entries) {
    const say = (what: string) => verdict.findings.push(`message ${entry.n} (${entry.id ?? 'no id'}): ${what}`);
    const times = { stored: stored.get(entry.n) ?? 0, answered: answered.get(entry.n) ?? 0 };
    if (times.stored > 1 || times.answered > 1 || entry.answeredBy.size > 1 || entry.createdBy.size > 1) {
      verdict.duplicate += 1;
      say(`stored ${times.stored} times, answered ${times.answered} times by ${entry.answeredBy.size} turns`);
    } else if (entry.acceptedAt === undefined) {
      verdict.unknown += 1;
    } else if (entry.failure !== undefined) {
      verdict.failed += 1;
      say(`ended with ${entry.failure}`);
    } else if (times.stored === 0 || times.answered === 0) {
      verdict.lost += 1;
      say(`accepted, but stored ${times.stored} times and answered ${times.answered} times`);
    } else if (entry.answeredAt === undefined || entry.createdBy.size === 0) {
      verdict.lost += 1;
      say('answered, but its events were never sent');
    } else verdict.ok += 1;
    if (entry.acceptedAt === undefined) continue;
    const waitedMs = (entry.answeredAt ?? endedAt) - entry.acceptedAt;
    if (waitedMs > stuckMs) {
      verdict.stuck += 1;
      say(`waited ${Math.round(waitedMs / 1_000)} s`);
    }
    if (entry.answeredAt !== undefined) verdict.latenciesMs.push(waitedMs);
  }
  for (const event of evidence.repeatedEvents) {
    verdict.duplicate += 1;
    verdict.findings.push(`an event was sent twice: ${event}`);
  }
  for (const list of lists.values()) {
    verdict.misordered += disorder(list, 'user', evidence.marksIn) + disorder(list, 'assistant', evidence.answeredIn);
  }
  // Late messages come in crowds: what is worse shall not drown among them.
  verdict.findings.sort((a, b) => Number(a.includes(': waited')) - Number(b.includes(': waited')));
  verdict.latenciesMs.sort((a, b) => a - b);
  return verdict;
}

/** Nothing lost, doubled, stuck, failed or out of order. */
export const isClean = ({ lost, duplicate, stuck, failed, misordered }: Verdict): boolean =>
  lost + duplicate + stuck + failed + misordered === 0;

function countMarks(lists: Evidence['lists'], role: Listed['role'], read: (content: string) => number[]) {
  const counts = new Map<number, number>();
  for (const message of [...lists.values()].flat()) {
    if (message.role === role) for (const n of read(message.content)) counts.set(n, (counts.get(n) ?? 0) + 1);
  }
  return counts;
}

function disorder(list: Listed[], role: Listed['role'], read: (content: string) => number[]): number {
  const latest = new Map<string, number>();
  let count = 0;
  for (const message of list) {
    if (message.role !== role) continue;
    for (const n of read(message.content)) {
      if (n < (latest.get(message.conversation_id) ?? -1)) count += 1;
      latest.set(message.conversation_id, n);
    }
  }
  return count;
}
