import type { Line } from '../record.js';
import type { Finding } from './check-record.js';

/** How long a killed process takes to be gone, on a busy machine. */
const GONE_MS = 2_000;
/** Between a provider's last byte and its record: a worker waits so long for a database whose power was cut. */
const RECORDED_MS = 30_000;

interface Slot {
  at: number;
  /** When it was seen. */
  t: number;
  status: string;
  everyMs: number;
}

/** What is beside the messages of the API: chats, schedules, files, usage. */
export class SideChecks {
  private readonly said = new Set<number>();
  private readonly shown = new Map<number, number>();
  private readonly uncertain = new Set<number>();
  private readonly schedules: (Line & { kind: 'schedule' })[] = [];
  private readonly slots = new Map<string, Slot[]>();
  private readonly written = new Map<string, string>();
  private readonly read = new Map<string, string | null>();
  private readonly told: { input: number; output: number; ended: number }[] = [];
  private readonly workersEnded: number[] = [];
  private readonly refusals: string[] = [];
  private reported: { steps: number; input: number; output: number } | undefined;

  take(line: Line): void {
    switch (line.kind) {
      case 'sent':
        if (line.via === 'chat') this.said.add(line.n);
        return;
      case 'shown':
        for (const n of line.numbers) this.shown.set(n, (this.shown.get(n) ?? 0) + 1);
        return;
      case 'uncertain':
        for (const n of line.numbers) this.uncertain.add(n);
        return;
      case 'schedule':
        this.schedules.push(line);
        return;
      case 'slot': {
        const slots = this.slots.get(line.schedule) ?? [];
        slots.push({ at: Date.parse(line.at), t: line.t, status: line.status, everyMs: line.everyMs });
        this.slots.set(line.schedule, slots);
        return;
      }
      case 'written':
        this.written.set(`${line.path} of ${line.agent}`, line.content);
        return;
      case 'read':
        this.read.set(`${line.path} of ${line.agent}`, line.content);
        return;
      case 'told':
        this.told.push(line);
        return;
      case 'usage':
        this.reported = line;
        return;
      case 'refusal':
        this.refusals.push(line.why);
        return;
      case 'fault':
        if (line.endsWorkers) this.workersEnded.push(line.t);
    }
  }

  findings(): Finding[] {
    return [
      ...this.chatFindings(),
      ...this.slotFindings(),
      ...this.fileFindings(),
      ...this.usageFindings(),
      ...this.refusals.map((what) => ({ promise: 'requests' as const, kind: 'refused', what })),
    ];
  }

  counts() {
    const reported = this.reported ?? { steps: 0, input: 0, output: 0 };
    return {
      chatMessages: this.said.size,
      shownReplies: [...this.said].filter((n) => this.shown.has(n)).length,
      uncertainReplies: [...this.said].filter((n) => this.uncertain.has(n)).length,
      slots: [...this.slots.values()].flat().length,
      files: this.written.size,
      told: this.sumTold(),
      reported: { steps: reported.steps, input: reported.input, output: reported.output },
      lostWithWorkers: this.told.length - reported.steps,
    };
  }

  private chatFindings(): Finding[] {
    return [...this.said].flatMap((n) => {
      const times = this.shown.get(n) ?? 0;
      if (times === 1 || (times === 0 && this.uncertain.has(n))) return [];
      const what = `the reply to message ${n} is shown ${times} times, and not uncertain`;
      return [{ promise: 'chats' as const, kind: times === 0 ? 'not shown' : 'shown more than once', what }];
    });
  }

  private slotFindings(): Finding[] {
    // One due when it was made, or just before it ended, may be missing.
    const short = this.schedules.flatMap(({ schedule, from, until, everyMs }) => {
      const ats = (this.slots.get(schedule) ?? []).map(({ at }) => at);
      const isWhole = Math.min(...ats) <= from + 2 * everyMs && Math.max(...ats) >= until - 2 * everyMs;
      const what = `${schedule} was there from ${new Date(from).toISOString()} until ${new Date(until).toISOString()}: it has slots of less`;
      return isWhole ? [] : [{ promise: 'slots' as const, kind: 'none at the begin or the end', what }];
    });
    const each = [...this.slots].flatMap(([schedule, slots]) => {
      const inOrder = slots.toSorted((a, b) => a.at - b.at);
      return inOrder.flatMap(({ at, t, status, everyMs }, index) => {
        const say = (kind: string, what = kind): Finding => ({
          promise: 'slots',
          kind,
          what: `slot ${new Date(at).toISOString()} of ${schedule}: ${what}`,
        });
        const before = inOrder[index - 1]?.at;
        return [
          ...(status === 'completed' ? [] : [say(`is ${status}`)]),
          ...(at <= t ? [] : [say('before its time', `was there at ${new Date(t).toISOString()}`)]),
          ...(before === undefined || at - before === everyMs
            ? []
            : [say('not when it was due', `${at - before} ms after another`)]),
        ];
      });
    });
    return [...short, ...each];
  }

  private fileFindings(): Finding[] {
    return [...this.written].flatMap(([file, content]) => {
      const found = this.read.get(file);
      if (found === content) return [];
      const what = `${file} was written as ${content} and is ${found ?? 'not there'}`;
      return [{ promise: 'files' as const, kind: typeof found !== 'string' ? 'not there' : 'another content', what }];
    });
  }

  /** What is missing in the report must be as many steps, and as many tokens, as answers that ended when workers were killed. */
  private usageFindings(): Finding[] {
    if (!this.reported) return [];
    const told = this.sumTold();
    const missing = {
      steps: told.steps - this.reported.steps,
      input: told.input - this.reported.input,
      output: told.output - this.reported.output,
    };
    const lost = this.told.filter(({ ended }) =>
      this.workersEnded.some((at) => at > ended - GONE_MS && at < ended + RECORDED_MS),
    );
    const isPossible = (of: 'input' | 'output') => {
      const sizes = lost.map((answer) => answer[of]).sort((a, b) => a - b);
      const sum = (some: number[]) => some.reduce((all, one) => all + one, 0);
      const least = sum(sizes.slice(0, missing.steps));
      return missing[of] >= least && missing[of] <= sum(sizes.slice(sizes.length - missing.steps));
    };
    if (missing.steps >= 0 && missing.steps <= lost.length && isPossible('input') && isPossible('output')) return [];
    const what = `told ${told.steps} steps, ${told.input} in, ${told.output} out; missing in the report are ${missing.steps}, ${missing.input}, ${missing.output}; ${lost.length} ended while a worker was killed`;
    return [{ promise: 'usage', kind: 'another sum', what }];
  }

  private sumTold() {
    const sum = { steps: 0, input: 0, output: 0 };
    for (const { input, output } of this.told) {
      sum.steps += 1;
      sum.input += input;
      sum.output += output;
    }
    return sum;
  }
}
