import { type AskedRequest, type Misbehaviour, type Reaction, MisbehavingProvider } from '#lib/testing';
import type { Random } from './random.js';
import { answeredIn, marksIn } from './stand-in-model.js';

/** One for each wire that a platform speaks at once: OpenAI's two share an address. */
export const MODELS = ['anthropic/claude-odd', 'openai/gpt-odd', 'google/gemini-2.5-odd'] as const;

/** Each passes by itself: the message is answered all the same. */
const MISBEHAVIOURS: readonly Misbehaviour[] = [
  { kind: 'reset' },
  ...(['break', 'cut', 'garbage', 'error-event'] as const).flatMap((kind) =>
    (['headers', 'text', 'call'] as const).map((at) => ({ kind, at })),
  ),
  { kind: 'stall', at: 'text' },
  { kind: 'status', status: 429, retryAfter: 1 },
  { kind: 'status', status: 500 },
  { kind: 'status', status: 503 },
  { kind: 'status', status: 529 },
  { kind: 'html', status: 502 },
  { kind: 'html', status: 200 },
];
/** Messages that are answered with the help of a tool. */
const TOOL_EVERY = 5;
const ANSWERS = /I have answered [\d ]+\./g;
/** An answer comes in about so many pieces. */
const PIECES = 8;

export interface MisbehavingModelOptions {
  answerMs: number;
  /** Part of the answers that go wrong. */
  misbehaviourRate: number;
  random: Random;
}

/**
 * The misbehaving provider as a model that answers with the marks of the messages it was given, as the stand-in does; every
 * fifth message makes it call a tool before, and some of its answers go wrong.
 */
export class MisbehavingModel {
  /** How often it began to answer each message undisturbed: more than once after a lost worker. */
  readonly asked = new Map<number, number>();
  readonly names = MODELS;
  requests = 0;
  disturbed = 0;
  private readonly called = new Set<number>();
  private provider: MisbehavingProvider | undefined;

  private constructor(private readonly options: MisbehavingModelOptions) {}

  static async start(options: MisbehavingModelOptions): Promise<MisbehavingModel> {
    const model = new MisbehavingModel(options);
    model.provider = await MisbehavingProvider.start((asked) => model.react(asked));
    model.provider.models = MODELS.map((name) => name.replace(/^.*\//, ''));
    return model;
  }

  /** For the platform whose models these are. */
  get env(): Record<string, string> {
    const wires = ['anthropic', 'openai-chat', 'google'] as const;
    return Object.assign({ ROOST_DEFAULT_MODEL: MODELS[0] }, ...wires.map((wire) => this.provider?.env(wire)));
  }

  /** Why requests were refused that no real provider would have taken. */
  get refusals(): string[] {
    return this.provider?.refusals.map(({ wire, refused }) => `${wire}: ${refused}`) ?? [];
  }

  async stop(): Promise<void> {
    await this.provider?.stop();
  }

  private react({ body, userTexts }: AskedRequest): Reaction {
    const { answerMs, misbehaviourRate, random } = this.options;
    this.requests += 1;
    // Wires put a batch into one text or several: it is what the conversation does not yet hold an answer to.
    const answered = new Set([...JSON.stringify(body).matchAll(ANSWERS)].flatMap(([answer]) => answeredIn(answer)));
    const marks = marksIn(userTexts.join('\n')).filter((mark) => !answered.has(mark));
    const [first = 0] = marks;
    const callsTool = first % TOOL_EVERY === 0 && !this.called.has(first);
    const answer = callsTool
      ? { calls: [{ name: 'schedule_list', args: {} }] }
      : { text: `I have answered ${marks.join(' ')} .` };
    if (random.next() < misbehaviourRate) {
      this.disturbed += 1;
      return { answer, misbehaviour: random.pick(MISBEHAVIOURS) };
    }
    if (callsTool) this.called.add(first);
    else for (const mark of marks) this.asked.set(mark, (this.asked.get(mark) ?? 0) + 1);
    return { answer, misbehaviour: { kind: 'drip', pauseMs: answerMs / PIECES } };
  }
}
