import {
  type AgentEvent,
  type Approval,
  type ApprovalDecision,
  ConflictError,
  type Roost,
  ValidationError,
} from '@roost-ai/sdk';
import type { Interface } from 'node:readline';
import type { Output } from '../output/output.js';
import { inLine } from '../output/clean.js';
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
      this.out.note(`waits for a person: roost approvals show ${id}`);
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
    const approval = await this.roost.approvals.get(id);
    this.out.line(cardOf(approval));
    // What is no answer is asked for again.
    for (let isOpen = true; isOpen;) {
      const said = await this.read(approval.question ? promptOf(approval.question) : QUESTION, signal);
      if (said === undefined) return;
      isOpen = await this.send(approval, said);
    }
  }

  private read(question: string, signal: AbortSignal): Promise<string | undefined> {
    return new Promise((resolve) => {
      signal.addEventListener('abort', () => resolve(undefined));
      this.lines?.question(question, { signal }, resolve);
    });
  }

  /** Returns whether it has to be asked again. */
  private async send({ id, question }: Approval, said: string): Promise<boolean> {
    const { approvals } = this.roost;
    const isAnswer = question !== null && said.trim() !== '';
    const decision: ApprovalDecision = question ? { decision: 'deny' } : decisionOf(said);
    try {
      await (isAnswer ? approvals.answer(id, { text: said }) : approvals.decide(id, decision));
    } catch (error) {
      if (error instanceof ValidationError && isAnswer) {
        this.out.note(inLine(error.message, 500));
        return true;
      }
      if (!(error instanceof ConflictError)) throw error;
      this.out.note('It was decided already.');
    }
    return false;
  }
}

function promptOf({ choices, schema, url }: NonNullable<Approval['question']>): string {
  const how = url
    ? '“done” once you have opened it'
    : choices
      ? 'its number'
      : schema && Object.keys(schema.properties).length > 1
        ? 'as JSON'
        : 'your answer';
  return `Answer (${how}; empty: none): `;
}

function decisionOf(said: string): ApprovalDecision {
  const word = said.trim();
  if (/^(y|yes)$/i.test(word)) return { decision: 'allow_once' };
  if (/^(a|always)$/i.test(word)) return { decision: 'allow_always' };
  return { decision: 'deny', ...(/^(n|no|)$/i.test(word) ? {} : { message: word }) };
}
