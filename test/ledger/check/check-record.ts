import type { Line } from '../record.js';
import { MessageChecks } from './message-checks.js';
import { SideChecks } from './side-checks.js';
import { Recoveries, type Recovery } from './recoveries.js';

/** What Roost promises, as the ledger checks it. */
export const PROMISES = {
  accepted: 'a message that its sender repeats for two minutes is accepted',
  answered: 'every accepted message is answered, once, as its sender sees it',
  order: 'in the order of their conversation',
  time: 'no later than a minute after it was accepted',
  chats: 'every chat reply is shown once, or listed as uncertain',
  webhooks: 'every webhook comes at least once, with one id',
  slots: 'every time of a schedule is carried out once',
  files: 'every acknowledged file is there as it was written',
  usage: 'usage to the token, but for what died with its worker',
  requests: 'no request is sent that a provider would refuse',
} as const;

export type Promised = keyof typeof PROMISES;

export interface Finding {
  promise: Promised;
  /** The same for all that broke in the same way. */
  kind: string;
  what: string;
}

export interface Verdict {
  findings: Finding[];
  counts: {
    sent: number;
    accepted: number;
    answered: number;
    chatMessages: number;
    shownReplies: number;
    uncertainReplies: number;
    webhooks: number;
    repeatedWebhooks: number;
    slots: number;
    files: number;
    told: { steps: number; input: number; output: number };
    reported: { steps: number; input: number; output: number };
    lostWithWorkers: number;
  };
  /** From 2xx to the event of the reply, sorted. */
  latenciesMs: number[];
  faults: { fault: string; what: string }[];
  /** By class of fault. */
  recoveries: Map<string, Recovery>;
}

export interface CheckOptions {
  /** How long an accepted message may wait for its reply. */
  stuckMs: number;
}

/** Reads a client's record to its end and holds it against what Roost promises. Nothing else is asked. */
export async function checkRecord(
  lines: AsyncIterable<Line> | Iterable<Line>,
  { stuckMs }: CheckOptions,
): Promise<Verdict> {
  const messages = new MessageChecks(stuckMs);
  const side = new SideChecks();
  const recoveries = new Recoveries();
  for await (const line of lines) {
    messages.take(line);
    side.take(line);
    recoveries.take(line);
  }
  const findings = [...messages.findings(), ...side.findings()];
  // Late messages come in crowds: what is worse shall not drown among them.
  findings.sort((a, b) => Number(a.promise === 'time') - Number(b.promise === 'time'));
  return {
    findings,
    counts: { ...messages.counts(), ...side.counts() },
    latenciesMs: messages.latencies(),
    faults: recoveries.faults,
    recoveries: recoveries.byFault(),
  };
}
