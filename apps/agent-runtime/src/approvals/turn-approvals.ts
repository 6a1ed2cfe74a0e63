import type { Bus } from '#lib/bus';
import { type ClaimedTurn, RoostError } from '#lib/contracts';
import type { ModelMessage, ToolSet } from 'ai';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TurnContext } from '../context/load-context.js';
import type { LivePublisher } from '../turns/live-publisher.js';
import type { TurnReport } from '../turns/report-turn.js';
import type { StepMeter } from '../turns/step-meter.js';
import { ToolCallReporter } from '../turns/tool-call-reporter.js';
import { TurnStopped } from '../turns/turn-end.js';
import type { TurnJournal } from '../turns/turn-journal.js';
import { askedOf } from './asked-calls.js';
import { carryOut } from './carry-out.js';
import { withResult } from './plain-messages.js';
import type { WaitingCall } from './waiting-call.js';

const PAUSE_MS = 1_000;

export interface ApprovalsOf {
  bus: Bus;
  turn: ClaimedTurn;
  journal: TurnJournal;
  report: TurnReport;
  meter: StepMeter;
  live: LivePublisher;
  abort: AbortController;
}

/** What a turn does about calls that a person is asked about: it ends for them, and another attempt carries them out. */
export class TurnApprovals {
  constructor(private readonly of: ApprovalsOf) {}

  /**
   * Carries out what was decided about the calls that an earlier attempt waited for, each written down as soon as it is
   * done. Gives the messages with the results, and the calls that nothing is known of: the earlier attempt was cut off
   * before it had asked.
   */
  async carryOut(
    { resumed, gate, questions }: Pick<TurnContext, 'resumed' | 'gate' | 'questions'>,
    toolsOf: () => ToolSet,
    messages: ModelMessage[],
    reply: string,
  ): Promise<{ messages: ModelMessage[]; waiting: WaitingCall[] }> {
    const waiting = resumed?.waiting ?? [];
    if (waiting.length === 0) return { messages, waiting };
    const tools = toolsOf();
    const { bus, turn, journal, meter, live, abort } = this.of;
    const decided = new Map(
      (turn.approvals ?? []).flatMap((call) => (call.status === 'pending' ? [] : [[call.toolCallId, call] as const])),
    );
    const reporter = new ToolCallReporter({ live }, meter.recorder);
    let [done, open] = [messages, waiting];
    const ended = await Promise.allSettled(
      waiting.map(async (call) => {
        const decision = decided.get(call.toolCallId);
        if (!decision) return;
        const result = await carryOut(call, decision, {
          ...{ bus, turn, tools, gate, questions, reporter, abort, messages },
        });
        if ('ask' in result) open = open.map((other) => (other === call ? result : other));
        else {
          done = withResult(done, result);
          open = open.filter((other) => other !== call);
        }
        journal.stepFinished(done, reply, open);
        await journal.flush();
      }),
    );
    abort.signal.throwIfAborted();
    for (const one of ended) if (one.status === 'rejected') throw one.reason;
    return { messages: done, waiting: open };
  }

  /**
   * Ends the attempt for a person to decide. Its work is on disk before anybody can: whoever goes on has it. Returns
   * whether it waits; it does not when it was interrupted meanwhile, and has ended. Errors: CONFLICT (lease lost).
   */
  async suspend(waiting: WaitingCall[], { agent }: Pick<TurnContext, 'agent'>, reply: string): Promise<boolean> {
    const { turn, journal, meter, report, abort } = this.of;
    meter.recorder.suspended(waiting.map(({ toolCallId }) => toolCallId));
    await journal.flush();
    // A messaging service of an older version gave the turn out: one of this version knows whether it was decided.
    if (turn.approvals === undefined) await sleep(PAUSE_MS);
    const calls = waiting.map(({ ask }) => ask);
    try {
      return (await report.suspended(calls, askedOf(agent.configuration.permissions), reply)).suspended;
    } catch (error) {
      // Another worker has the turn, and goes on from what was written down.
      if (error instanceof RoostError && error.code === 'CONFLICT') abort.abort(new TurnStopped('lease-lost'));
      throw error;
    }
  }
}
