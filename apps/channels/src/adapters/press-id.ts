import { ApprovalDecision } from '#lib/contracts';
import type { CardPress } from './channel-adapter.js';

/** Telegram takes 64 bytes: https://core.telegram.org/bots/api#inlinekeyboardbutton */
const PRESS = /^approval:([\da-f-]{36}):(\w{4,12})$/;

/** What a button carries on every platform. */
export const pressId = ({ approvalId, decision }: CardPress) => `approval:${approvalId}:${decision}`;

export function pressOfId(text: string | undefined): CardPress | undefined {
  const [, approvalId, decision] = PRESS.exec(text ?? '') ?? [];
  const known = ApprovalDecision.safeParse(decision);
  return approvalId !== undefined && known.success ? { approvalId, decision: known.data } : undefined;
}
