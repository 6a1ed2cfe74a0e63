import { until } from '#lib/testing';
import type { PlatformDouble, ShownCard } from '../../apps/channels/test/doubles/index.js';
import { PATIENCE_MS } from './repeated-kills.js';

const PATIENT = { timeoutMs: PATIENCE_MS, everyMs: 100 };
/** Whoever pressed and sees nothing of it presses again. */
const PRESS_AGAIN_MS = 4_000;
const QUESTION = 'may it call this tool?';
const OUTCOME = 'asked about a tool:';

/** One person in a chat of their own with an agent: asks for commands, and decides whether they may run. */
export class ChatApprover {
  constructor(
    private readonly double: PlatformDouble,
    private readonly person: number,
  ) {}

  get platform(): string {
    return this.double.platform;
  }

  /** A bot that is not connected yet hears nothing: the code is sent until it is answered. */
  async link(code: string): Promise<void> {
    const isLinked = () => this.double.shown(this.person).some((text) => text.includes('You are talking to'));
    await until(
      `person ${this.person} is linked on ${this.platform}`,
      async () => {
        await this.double.say(this.person, `/link ${code}`);
        return until('linked', isLinked, { timeoutMs: 3_000 }).catch(() => false);
      },
      PATIENT,
    );
  }

  async askFor(command: string): Promise<void> {
    await this.double.say(this.person, `run: ${command}`);
  }

  /** Presses the button twice under the question about the command, and again until the card says what was decided. */
  async decide(command: string, label: 'Allow once' | 'Deny'): Promise<void> {
    const carried = await until(
      `"${command}" is asked about on ${this.platform}`,
      () => this.cardsOf(command).at(-1)?.buttons[label],
      PATIENT,
    );
    let pressedAt = 0;
    await until(
      `"${command}" is shown as decided on ${this.platform}`,
      async () => {
        if (this.cardsOf(command).some(({ text }) => text.includes(OUTCOME))) return true;
        if (Date.now() - pressedAt < PRESS_AGAIN_MS) return false;
        pressedAt = Date.now();
        // While the service that takes presses is away the platform says so to the person.
        await this.double
          .press(this.person, carried)
          .then((press) => press.again())
          .catch(() => undefined);
        return false;
      },
      PATIENT,
    );
  }

  /** What this chat shows of the question about a command: the question, or what was decided in its place. */
  cardsOf(command: string): ShownCard[] {
    return this.double
      .cards(this.person)
      .filter(({ text }) => text.includes(command) && (text.includes(QUESTION) || text.includes(OUTCOME)));
  }
}
