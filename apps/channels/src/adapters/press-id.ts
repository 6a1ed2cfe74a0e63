import { ApprovalDecision } from '#lib/contracts';
import type { CardPress } from './channel-adapter.js';

/** Telegram takes 64 bytes: https://core.telegram.org/bots/api#inlinekeyboardbutton */
const PRESS = /^approval:([\da-f-]{36}):(\w{4,12})$/;
const ANSWER = /^answer_(\d{1,2})$/;

/** What a button carries on every platform. */
export const pressId = ({ approvalId, decision }: CardPress) => `approval:${approvalId}:${decision}`;

export function pressOfId(text: string | undefined): CardPress | undefined {
  const [, approvalId, decision = ''] = PRESS.exec(text ?? '') ?? [];
  if (approvalId === undefined) return undefined;
  const known = ApprovalDecision.safeParse(decision);
  if (known.success) return { approvalId, decision: known.data };
  const [, answer] = ANSWER.exec(decision) ?? [];
  return answer === undefined ? undefined : { approvalId, decision: `answer_${Number(answer)}` };
}

/** Which of a question's answers was pressed, from 0; undefined for a decision. */
export function answerNumber({ decision }: Pick<CardPress, 'decision'>): number | undefined {
  const [, answer] = ANSWER.exec(decision) ?? [];
  return answer === undefined ? undefined : Number(answer);
}
