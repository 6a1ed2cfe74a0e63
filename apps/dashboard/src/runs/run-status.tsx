import { Badge } from '../components/feedback.js';
import { Icon } from '../components/icon.js';
import { type RunStatus, STATUS_WORDS } from './run-words.js';

export function RunStatusBadge({ status, isStopping = false }: { status: RunStatus; isStopping?: boolean }) {
  const { label, tone, about } = STATUS_WORDS[status];
  return (
    <Badge tone={tone} title={about}>
      {status === 'running' && <Icon name="loader-circle" className="size-3 animate-spin" />}
      {status === 'waiting' && <Icon name="clock" className="size-3" />}
      {isStopping ? 'Stopping' : label}
    </Badge>
  );
}
