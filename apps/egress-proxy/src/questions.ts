import type { EgressRequest, EgressUse, EgressVerdict, FromEgress, ToEgress } from '#lib/contracts';
import type { GrantQuestions } from './credentials/agent-grants.js';

type Answer = Extract<ToEgress, { type: 'token' | 'verdict' | 'failure' }>;

const answerMs = 15_000;
/** Uses are sent together: what is shown of them is the last one. */
const flushMs = 500;
const maxUses = 1_000;

/** What agent-lifecycle is asked over the channel, and the uses that it is informed of. */
export class Questions implements GrantQuestions {
  private readonly waiting = new Map<number, { resolve(answer: Answer): void; reject(error: Error): void }>();
  private readonly uses = new Map<string, EgressUse>();
  private timer: NodeJS.Timeout | undefined;
  private asked = 0;
  askHoldMs = 0;

  constructor(private readonly send: (message: FromEgress) => void) {}

  async token(grantId: string): Promise<{ token: string; expiresAt: number }> {
    const answer = await this.ask((id) => ({ type: 'token-wanted', id, grantId }));
    if (answer.type !== 'token') throw new Error('no token came');
    return { token: answer.token, expiresAt: answer.expiresAt };
  }

  async verdict(grantId: string, request: EgressRequest): Promise<EgressVerdict> {
    const answer = await this.ask((id) => ({ type: 'verdict-wanted', id, grantId, request }));
    if (answer.type !== 'verdict') throw new Error('no verdict came');
    if (answer.isAllowed) return { isAllowed: true };
    return { isAllowed: false, reason: answer.reason ?? 'it was not allowed', waits: answer.waits };
  }

  used(grantId: string, refused?: string): void {
    const key = `${grantId} ${refused === undefined}`;
    if (this.uses.size >= maxUses && !this.uses.has(key)) return;
    this.uses.set(key, { grantId, at: Date.now(), ...(refused === undefined ? {} : { refused }) });
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      const uses = [...this.uses.values()];
      this.uses.clear();
      this.send({ type: 'uses', uses });
    }, flushMs);
  }

  answer(message: Answer): void {
    const waiting = this.waiting.get(message.id);
    if (message.type === 'failure') waiting?.reject(new Error(message.reason));
    else waiting?.resolve(message);
  }

  private async ask(question: (id: number) => FromEgress): Promise<Answer> {
    const id = (this.asked += 1);
    let timer: NodeJS.Timeout | undefined;
    try {
      return await new Promise<Answer>((resolve, reject) => {
        this.waiting.set(id, { resolve, reject });
        timer = setTimeout(() => reject(new Error('no answer came in time')), answerMs);
        this.send(question(id));
      });
    } finally {
      clearTimeout(timer);
      this.waiting.delete(id);
    }
  }
}
