import {
  type AskedRequest,
  type Misbehaviour,
  MisbehavingProvider,
  type Reaction,
  type SeenRequest,
} from '#lib/testing';
import { answeredIn, marksIn } from '../../doubles/stand-in-model.js';
import type { Random } from '../random.js';
import type { Record } from '../record.js';

/** One for each wire that a platform speaks at once: OpenAI's two share an address. */
export const MODELS = ['anthropic/claude-odd', 'openai/gpt-odd', 'google/gemini-2.5-odd'] as const;

/** Ways to fail that pass by themselves, and of which it is certain what was told by then: after a reset less may have been read. */
export const FAILURES: readonly Misbehaviour[] = [
  { kind: 'reset' },
  { kind: 'break', at: 'headers' },
  ...(['cut', 'error-event'] as const).flatMap((kind) =>
    (['headers', 'text', 'call'] as const).map((at) => ({ kind, at })),
  ),
  { kind: 'garbage', at: 'text' },
  { kind: 'stall', at: 'text' },
  { kind: 'status', status: 429, retryAfter: 1 },
  { kind: 'status', status: 500 },
  { kind: 'status', status: 503 },
  { kind: 'status', status: 529 },
  { kind: 'html', status: 502 },
];
/** Messages that are answered with the help of a tool. */
const TOOL_EVERY = 5;
const ANSWERS = /I have answered [\d ]+\./g;
/** An answer comes in about so many pieces. */
const PIECES = 8;
/** Below it no answer says how much it read, so that each is known by this number. */
const FIRST_INPUT = 1_000;
const MAX_OUTPUT = 500;
/** What is older has ended: what was told of it is written down, and its request forgotten. */
const SETTLED_MS = 30_000;
const SWEEP_MS = 5_000;

export interface LedgerModelOptions {
  answerMs: number;
  /** Part of the answers that go wrong. */
  misbehaviourRate: number;
  random: Random;
  record: Record;
}

/**
 * The misbehaving provider as a model that answers with the numbers of the messages it was given, so that a reply says which
 * messages it is for; every fifth message makes it call a tool before, and some of its answers go wrong. It records what it
 * told each to have used.
 */
export class LedgerModel {
  readonly names = MODELS;
  requests = 0;
  disturbed = 0;
  private readonly called = new Set<number>();
  private readonly begun: { at: number; asked: SeenRequest }[] = [];
  private provider: MisbehavingProvider | undefined;
  private timer: NodeJS.Timeout | undefined;

  private constructor(private readonly options: LedgerModelOptions) {}

  static async start(options: LedgerModelOptions): Promise<LedgerModel> {
    const model = new LedgerModel(options);
    model.provider = await MisbehavingProvider.start((asked) => model.react(asked));
    model.provider.models = MODELS.map((name) => name.replace(/^.*\//, ''));
    model.timer = setInterval(() => model.recordTold(SETTLED_MS), SWEEP_MS);
    return model;
  }

  /** For the platform whose models these are. */
  get env(): { [name: string]: string } {
    const wires = ['anthropic', 'openai-chat', 'google'] as const;
    return Object.assign({ ROOST_DEFAULT_MODEL: MODELS[0] }, ...wires.map((wire) => this.provider?.env(wire)));
  }

  /** Writes down what was told in answers that began so long ago. Refused requests are written down as well. */
  recordTold(olderThanMs: number): void {
    const { record } = this.options;
    const until = Date.now() - olderThanMs;
    const settled = this.begun.findIndex(({ at }) => at > until);
    for (const { asked } of this.begun.splice(0, settled === -1 ? this.begun.length : settled)) {
      const { told } = asked;
      if (told) record.write({ kind: 'told', steps: 1, input: told.input, output: told.output, ended: told.at });
    }
    const seen = this.provider?.seen ?? [];
    for (const { wire, refused } of seen)
      if (refused !== undefined) record.write({ kind: 'refusal', why: `${wire}: ${refused}` });
    // Of all that it has seen only what is under way is of use, and `begun` holds that.
    seen.splice(0);
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.provider?.stop();
  }

  private react(asked: AskedRequest): Reaction {
    const { answerMs, misbehaviourRate, random } = this.options;
    const { body, userTexts } = asked;
    const usage = { input: FIRST_INPUT + this.requests++, output: 2 + Math.floor(random.next() * MAX_OUTPUT) };
    this.begun.push({ at: Date.now(), asked: asked as SeenRequest });
    // Wires put a batch into one text or several: it is what the conversation does not yet hold an answer to.
    const answered = new Set([...JSON.stringify(body).matchAll(ANSWERS)].flatMap(([answer]) => answeredIn(answer)));
    const open = marksIn(userTexts.join('\n')).filter((mark) => !answered.has(mark));
    // A worker that was lost may have kept its answer in the transcript, and it is asked for again.
    const marks = open.length > 0 ? open : marksIn(userTexts.at(-1) ?? '');
    const [first] = marks;
    const callsTool = first !== undefined && first % TOOL_EVERY === 0 && !this.called.has(first);
    const answer = callsTool
      ? { usage, calls: [{ name: 'schedule_list', args: {} }] }
      : { usage, text: `I have answered ${marks.join(' ')} .` };
    if (random.next() < misbehaviourRate) {
      this.disturbed += 1;
      return { answer, misbehaviour: random.pick(FAILURES) };
    }
    if (callsTool) this.called.add(first);
    return { answer, misbehaviour: { kind: 'drip', pauseMs: answerMs / PIECES } };
  }
}
