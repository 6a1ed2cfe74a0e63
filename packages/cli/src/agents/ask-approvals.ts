import { type AgentEvent, type Approval, type ApprovalDecision, ConflictError, type Roost } from '@roost-ai/sdk';
import type { Interface } from 'node:readline';
import type { Output } from '../output/output.js';
import { cardOf } from './approvals.js';

const QUESTION = 'Allow it? [y]es, [a]lways, or why not: ';

/**
 * Asks the person at the terminal about calls that wait, one after the other, while the events go on. What somebody else
 * decides meanwhile is asked no more. Without a terminal it says how to decide.
 */
export class ApprovalQuestions {
  private readonly open = new Map<string, AbortController>();
  private asking: Promise<void> = Promise.resolve();

  constructor(
    private readonly roost: Roost,
    private readonly out: Output,
    private readonly lines: Interface | undefined,
  ) {}

  on(event: AgentEvent): void {
    if (event.type === 'approval.requested') this.ask(event.data.approval);
    if (event.type === 'approval.decided' || event.type === 'approval.expired') this.settled(event.data.approval);
  }

  end(): void {
    for (const question of this.open.values()) question.abort();
  }

  private ask({ id }: Approval): void {
    if (!this.lines) {
      this.out.note(`waits for approval: roost approvals show ${id}`);
      return;
    }
    const question = new AbortController();
    this.open.set(id, question);
    this.asking = this.asking.then(() => this.askOne(id, question.signal)).catch(() => undefined);
  }

  private settled({ id, status, decided_by: by }: Approval): void {
    const question = this.open.get(id);
    this.open.delete(id);
    question?.abort();
    this.out.note(this.out.dim(`${status}${by ? ` by ${by.type}` : ''}`));
  }

  private async askOne(id: string, signal: AbortSignal): Promise<void> {
    if (signal.aborted || !this.lines) return;
    this.out.line(cardOf(await this.roost.approvals.get(id)));
    const { lines } = this;
    const said = await new Promise<string | undefined>((resolve) => {
      signal.addEventListener('abort', () => resolve(undefined));
      lines.question(QUESTION, { signal }, resolve);
    });
    if (said === undefined) return;
    await this.roost.approvals.decide(id, decisionOf(said)).catch((error: unknown) => {
      if (!(error instanceof ConflictError)) throw error;
      this.out.note('It was decided already.');
    });
  }
}

function decisionOf(said: string): ApprovalDecision {
  const word = said.trim();
  if (/^(y|yes)$/i.test(word)) return { decision: 'allow_once' };
  if (/^(a|always)$/i.test(word)) return { decision: 'allow_always' };
  return { decision: 'deny', ...(/^(n|no|)$/i.test(word) ? {} : { message: word }) };
}
