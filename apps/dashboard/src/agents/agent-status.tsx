import type { AgentStatus } from '@roost-ai/sdk';
import { Badge } from '../components/feedback.js';

const SAID: Record<
  AgentStatus,
  { label: string; tone: 'ok' | 'warn' | 'bad' | 'neutral'; dot: string; about: string }
> = {
  active: { label: 'Active', tone: 'ok', dot: 'bg-ok', about: 'Answers messages as they come' },
  paused: { label: 'Paused', tone: 'warn', dot: 'bg-warn', about: 'Messages wait until it is resumed' },
  stopped: { label: 'Stopped', tone: 'neutral', dot: 'bg-line-strong', about: 'Refuses messages until it is started' },
  error: { label: 'Error', tone: 'bad', dot: 'bg-bad', about: 'Does not work; start it to try again' },
};

export function StatusBadge({ status, reason }: { status: AgentStatus; reason?: string | null }) {
  const { label, tone, dot, about } = SAID[status];
  return (
    <Badge tone={tone} title={reason ?? about}>
      <span className={`size-1.5 rounded-full ${dot}`} />
      {label}
    </Badge>
  );
}

export function StatusDot({ status }: { status: AgentStatus }) {
  const { label, dot } = SAID[status];
  return (
    <>
      <span className={`mx-1 size-2 shrink-0 rounded-full ${dot}`} title={label} />
      <span className="sr-only">{label}:</span>
    </>
  );
}
