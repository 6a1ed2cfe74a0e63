import type { Listing, ScheduleExecution } from '@roost-ai/sdk';
import type { QueryKey } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Badge, ErrorNote, Skeletons } from '../components/feedback.js';
import { inputClass } from '../components/field.js';
import { lastedFor, Time, timeIn } from '../components/time.js';
import { ShowMore } from '../components/show-more.js';
import { useListing } from '../components/use-listing.js';
import { visibleText } from '../components/visible-text.js';
import { EXECUTION_STATUSES, type ExecutionStatus, isOpen } from './execution-status.js';

type Execution = ScheduleExecution;

interface ExecutionsProps {
  agentId: string;
  queryKey: QueryKey;
  list: (status: ExecutionStatus | undefined, signal: AbortSignal) => Listing<Execution>;
  status: ExecutionStatus | undefined;
  onStatus: (status: ExecutionStatus | undefined) => void;
  /** By whose clock times are shown. */
  timezone?: string | undefined;
  /** Where there are none at all. */
  empty: string;
}

const SOON_MS = 2_000;
const LATER_MS = 20_000;

/** What became of each firing of a schedule or a trigger, the newest first. */
export function Executions({ agentId, queryKey, list, status, onStatus, timezone, empty }: ExecutionsProps) {
  const history = useListing({
    key: [...queryKey, 'executions', status],
    list: (signal) => list(status, signal),
    refetchMs: (found) => (found.some(isOpen) ? SOON_MS : LATER_MS),
  });
  const { items, error, reload } = history;
  return (
    <div className="space-y-3">
      <select
        aria-label="Outcome"
        value={status ?? ''}
        onChange={({ target }) => onStatus((target.value || undefined) as ExecutionStatus | undefined)}
        className={`${inputClass} max-w-52`}
      >
        <option value="">Every outcome</option>
        {Object.entries(EXECUTION_STATUSES).map(([value, { label }]) => (
          <option key={value} value={value}>
            {label}
          </option>
        ))}
      </select>
      {error && !items && <ErrorNote error={error} title="The history cannot be loaded" onRetry={reload} />}
      {!items && !error && <Skeletons count={3} className="h-12" />}
      {items?.length === 0 && (
        <p className="py-6 text-center text-sm text-soft">
          {status ? `None is ${EXECUTION_STATUSES[status].label.toLowerCase()}.` : empty}
        </p>
      )}
      {items && items.length > 0 && (
        <ul aria-label="History" className="divide-y divide-line">
          {items.map((execution) => (
            <Row key={execution.uuid} agentId={agentId} execution={execution} timezone={timezone} />
          ))}
        </ul>
      )}
      <ShowMore list={history} />
    </div>
  );
}

function Row({
  agentId,
  execution,
  timezone,
}: Pick<ExecutionsProps, 'agentId' | 'timezone'> & { execution: Execution }) {
  const { status, scheduled_for: at, started_at: from, finished_at: to, error, message_id: messageId } = execution;
  const { label, tone, about } = EXECUTION_STATUSES[status];
  return (
    <li className="flex min-h-12 flex-wrap items-center gap-x-4 gap-y-1 py-2 text-sm">
      <span className="w-24 shrink-0">
        <Badge tone={tone} title={about}>
          {label}
        </Badge>
      </span>
      <span className="min-w-36 grow">
        <span className="tabular-nums">{timeIn(at, timezone)}</span> <Time at={at} className="text-xs text-faint" />
        {error && <span className="block text-xs wrap-anywhere text-soft">{visibleText(error)}</span>}
      </span>
      {from && to && <span className="text-xs text-faint tabular-nums">{lastedFor(from, to)}</span>}
      {messageId && (
        <Link
          to="/agents/$agentId/messages/$messageId/run"
          params={{ agentId, messageId }}
          className="text-accent underline underline-offset-2"
        >
          Run<span className="sr-only"> of {timeIn(at, timezone)}</span>
        </Link>
      )}
    </li>
  );
}
