import { useQuery } from '@tanstack/react-query';
import { OWN_ZONE, Time, timeIn } from '../components/time.js';
import { cronWordsQuery, nextRunsQuery } from './schedules.js';

/** Weekday and time: the date is beside it. */
const hereClock = new Intl.DateTimeFormat('en-GB', { weekday: 'short', hour: '2-digit', minute: '2-digit' });

/** An expression in words, as far as it can be read. */
export function CronWords({ cron }: { cron: string }) {
  const { data: words } = useQuery(cronWordsQuery(cron));
  return <>{words ?? cron}</>;
}

/** When it fires next, by the clock of its zone, and by the reader's own where that is another. */
export function NextRuns({ agentId, cron, timezone }: { agentId: string; cron: string; timezone: string }) {
  const { data, error } = useQuery(nextRunsQuery(agentId, cron, timezone));
  const isElsewhere = timezone !== OWN_ZONE;
  if (error) return <p className="text-sm text-soft">Shown once the times can be computed.</p>;
  return (
    <ol aria-label="Next times" className="divide-y divide-line text-sm">
      {data
        ? data.map((at) => (
            <li
              key={at}
              className={`flex justify-between gap-x-4 py-1.5 ${isElsewhere ? 'flex-col' : 'flex-wrap items-baseline'}`}
            >
              <span className="tabular-nums">{timeIn(at, timezone)}</span>
              <span className="text-xs text-faint">
                <Time at={at} />
                {isElsewhere && ` · ${hereClock.format(new Date(at))} here`}
              </span>
            </li>
          ))
        : Array.from({ length: 5 }, (_, index) => (
            <li key={index} className="py-1.5">
              <div className="skeleton h-4 w-48" />
            </li>
          ))}
      {data?.length === 0 && <li>Never again.</li>}
    </ol>
  );
}
