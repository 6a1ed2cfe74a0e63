import { canonicalJson } from '#lib/canonical-json';
import type { Question } from '#lib/contracts';
import type { RecordedAnswer } from './waiting-call.js';

/** A tool asked a person something: its call is given up, and repeated once there is an answer. */
export class QuestionAsked extends Error {
  override readonly name = 'QuestionAsked';

  constructor(readonly question: Question) {
    super('the tool asked a person something');
  }
}

/** A call that asks more often will go on asking. */
const MAX_ANSWERS = 10;

/** What the tools of a turn ask in the middle of their calls, and what was answered to earlier attempts of a call. */
export class CallQuestions {
  /** Whether somebody can be asked: a turn can be suspended, the end of a session cannot. */
  isOpen = false;
  private readonly answers = new Map<string, RecordedAnswer[]>();
  private readonly asked = new Map<string, Question>();

  /** The call is repeated with what was answered so far. */
  answered(toolCallId: string, answers: RecordedAnswer[]): void {
    this.answers.set(toolCallId, answers);
    this.asked.delete(toolCallId);
  }

  answersOf(toolCallId: string): RecordedAnswer[] {
    return this.answers.get(toolCallId) ?? [];
  }

  /** What was answered to just this question; undefined when it was not asked before. */
  answerTo(toolCallId: string, question: Question): RecordedAnswer | undefined {
    const text = canonicalJson(question);
    return this.answersOf(toolCallId).find((known) => known.question === text);
  }

  /** The reason why the call cannot ask a person; undefined when it can. */
  problemOf(toolCallId: string): string | undefined {
    if (!this.isOpen) return 'nobody can be asked now';
    return this.answersOf(toolCallId).length >= MAX_ANSWERS ? 'it has asked too often' : undefined;
  }

  /** The call waits for an answer. */
  ask(toolCallId: string, question: Question): QuestionAsked {
    this.asked.set(toolCallId, question);
    return new QuestionAsked(question);
  }

  /** What the call waits for. */
  questionOf(toolCallId: string): Question | undefined {
    return this.asked.get(toolCallId);
  }

  has(toolCallId: string): boolean {
    return this.asked.has(toolCallId);
  }

  get isWaiting(): boolean {
    return this.asked.size > 0;
  }
}
