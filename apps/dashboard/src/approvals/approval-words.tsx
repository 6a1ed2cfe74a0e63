import type { Approval } from '@roost-ai/sdk';
import { Badge, type Tone } from '../components/feedback.js';
import { visibleText } from '../components/visible-text.js';

const STATUSES: Record<Approval['status'], { label: string; tone: Tone; about: string }> = {
  pending: { label: 'Waits', tone: 'warn', about: 'Waits for a decision' },
  allowed: { label: 'Allowed', tone: 'ok', about: 'It may run' },
  answered: { label: 'Answered', tone: 'ok', about: 'The agent goes on with the answer' },
  denied: { label: 'Denied', tone: 'bad', about: 'It does not run or is not answered, and the agent knows why' },
  expired: { label: 'Expired', tone: 'neutral', about: 'Nobody decided in time, which counts as denied' },
  cancelled: {
    label: 'Cancelled',
    tone: 'neutral',
    about: 'Its run was cancelled, its session reset, its agent deleted, or its grant settled',
  },
};
export const APPROVAL_STATUSES = Object.keys(STATUSES) as Approval['status'][];
export const statusWord = (status: Approval['status']): string => STATUSES[status].label;

export function ApprovalBadge({ status }: { status: Approval['status'] }) {
  const { label, tone, about } = STATUSES[status];
  return (
    <Badge tone={tone} title={about}>
      {label}
    </Badge>
  );
}

/** `user 0192…`, `person telegram:42`. */
export const deciderText = (by: NonNullable<Approval['decided_by']>): string =>
  visibleText(`${by.type.replace('_', ' ')} ${by.id}`);

/** What a person is asked, in a line. */
export const titleOf = ({ kind, tool }: Approval, agent?: string): string =>
  kind === 'question'
    ? tool === 'ask_human'
      ? `${visibleText(agent ?? 'It')} asks you something`
      : `${visibleText(tool)} asks you something`
    : kind === 'credential'
      ? `May a request of ${visibleText(agent ?? 'it')} carry the secret ${visibleText(tool.replace('vault:', ''))}?`
      : `May ${visibleText(agent ?? 'it')} use ${visibleText(tool)}?`;

/** What of a call says most in one line; what it is exactly, its own page says. */
export function callText({ arguments: text, argument_bytes: bytes, question }: Approval): string {
  if (question) return visibleText(question.question.slice(0, 300));
  if (text === null) return `arguments of ${bytes.toLocaleString('en')} bytes`;
  return visibleText(text.slice(0, 300));
}
