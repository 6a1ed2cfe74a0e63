import { type AskedRequest, type Misbehaviour, MisbehavingProvider, type Reaction, type Tokens } from '#lib/testing';
import { FAILURES } from '../ledger/load/ledger-model.js';
import type { Random } from '../ledger/random.js';

export const MODELS = ['anthropic/claude-odd', 'openai/gpt-odd', 'google/gemini-2.5-odd'] as const;

/** Below it no answer says how much it read, so that each is known by this number. */
const FIRST_INPUT = 1_000;
const MAX_OUTPUT = 500;
/** Answers that make a tool run first, and with it another step. */
const TOOL_RATE = 0.3;
/** An answer comes in about so many pieces. */
const PIECES = 8;

/** What one answer was told to have used, and what befell it. */
export interface Told extends Tokens {
  at: number;
  how: string;
}

export interface CountingModelOptions {
  failureRate: number;
  answerMs: number;
  random: Random;
}

/**
 * The misbehaving provider as a model that keeps the books of what it has told: no two answers read the same number of tokens,
 * so that each is found again in Roost's own books.
 */
export class CountingModel {
  private answers = 0;
  /** By the answer’s input tokens. */
  private readonly befell = new Map<number, string>();
  private provider: MisbehavingProvider | undefined;

  private constructor(private readonly options: CountingModelOptions) {}

  static async start(options: CountingModelOptions): Promise<CountingModel> {
    const model = new CountingModel(options);
    model.provider = await MisbehavingProvider.start((asked) => model.react(asked));
    model.provider.models = MODELS.map((name) => name.replace(/^.*\//, ''));
    return model;
  }

  /** For the platform whose models these are. */
  get env(): Record<string, string> {
    const wires = ['anthropic', 'openai-chat', 'google'] as const;
    return Object.assign({ ROOST_DEFAULT_MODEL: MODELS[0] }, ...wires.map((wire) => this.provider?.env(wire)));
  }

  get requests(): number {
    return this.provider?.seen.length ?? 0;
  }

  /** Why requests were refused that no real provider would have taken. */
  get refusals(): string[] {
    return this.provider?.refusals.map(({ wire, refused }) => `${wire}: ${refused}`) ?? [];
  }

  /** All that it has told, answers that failed after it included. */
  get told(): Told[] {
    const seen = this.provider?.seen ?? [];
    return seen.flatMap(({ wire, told }) =>
      told ? [{ ...told, how: `${wire} ${this.befell.get(told.input) ?? ''}` }] : [],
    );
  }

  async stop(): Promise<void> {
    await this.provider?.stop();
  }

  private react({ toolResults }: AskedRequest): Reaction {
    const { failureRate, answerMs, random } = this.options;
    const usage = { input: FIRST_INPUT + this.answers++, output: 2 + Math.floor(random.next() * MAX_OUTPUT) };
    const callsTool = toolResults.length === 0 && random.next() < TOOL_RATE;
    const answer = callsTool
      ? { usage, calls: [{ name: 'schedule_list', args: {} }] }
      : { usage, text: 'I have counted what this takes.' };
    const misbehaviour: Misbehaviour =
      random.next() < failureRate ? random.pick(FAILURES) : { kind: 'drip', pauseMs: answerMs / PIECES };
    this.befell.set(usage.input, Object.values(misbehaviour).join(' '));
    return { answer, misbehaviour };
  }
}
