import type { RunStep } from '@roost-ai/sdk';
import { durationText } from '../components/amounts.js';
import { Icon } from '../components/icon.js';
import type { IconName } from '../components/icon-name.js';

/** Which time the width of the bars stands for. */
export interface Scale {
  from: number;
  ms: number;
}

interface RowProps {
  scale: Scale;
  icon: IconName;
  label: string;
  /** Of a tool: what it was asked, in a few words. */
  summary?: string | null;
  /** Undefined: the run itself. */
  kind?: RunStep['kind'];
  from: number;
  ms: number;
  /** Of a model: until its first word. */
  waitMs?: number;
  isFailed?: boolean;
  isRunning?: boolean;
  isCurrent: boolean;
  onChoose: () => void;
}

const COLOURS: Record<RunStep['kind'], string> = {
  model: 'bg-accent',
  tool: 'bg-ok',
  compaction: 'bg-warn',
  retry: 'bg-warn',
  interruption: 'bg-line-strong',
};
const COLUMNS = 'grid grid-cols-[minmax(7rem,2fr)_minmax(5rem,3fr)_4rem] items-center gap-3 px-4 sm:px-6';

export function WaterfallRow(props: RowProps) {
  const {
    scale,
    icon,
    label,
    summary,
    kind,
    from,
    ms,
    waitMs = 0,
    isFailed = false,
    isRunning = false,
    isCurrent,
    onChoose,
  } = props;
  const colour = isFailed ? 'bg-bad' : kind ? COLOURS[kind] : 'bg-line-strong';
  return (
    <button
      type="button"
      data-row=""
      aria-current={isCurrent ? 'true' : undefined}
      onClick={onChoose}
      className={`${COLUMNS} min-h-9 w-full text-left text-sm -outline-offset-2 hover:bg-sunken aria-[current=true]:bg-accent-soft`}
    >
      <span className="flex min-w-0 items-center gap-2">
        <Icon name={isFailed ? 'circle-alert' : icon} className={isFailed ? 'text-bad' : 'text-faint'} />
        {/* All of the column but the icon. */}
        <span className="max-w-[calc(100%-1.5rem)] shrink-0 truncate">{label}</span>
        {summary && <span className="hidden truncate font-mono text-xs text-faint sm:inline">{summary}</span>}
        {isFailed && <span className="sr-only">, failed</span>}
      </span>
      <span aria-hidden="true" className="relative h-3.5">
        <span
          className={`absolute inset-y-0 min-w-0.5 overflow-hidden rounded-sm ${colour} ${isRunning ? 'animate-pulse' : ''}`}
          style={placeOf(scale, from, ms)}
        >
          {waitMs > 0 && (
            <span className="absolute inset-y-0 left-0 bg-surface/60" style={{ width: `${percent(waitMs, ms)}%` }} />
          )}
        </span>
      </span>
      <span className="text-right text-xs whitespace-nowrap text-soft tabular-nums">
        {durationText(ms)}
        {isRunning && <span className="sr-only"> so far</span>}
      </span>
    </button>
  );
}

/** What the places on the bars mean. */
export function Axis({ ms }: { ms: number }) {
  return (
    <div aria-hidden="true" className={`${COLUMNS} pb-1 text-[0.7rem] text-faint tabular-nums`}>
      <span />
      <span className="flex justify-between border-b border-line">
        <span>0</span>
        <span className="hidden sm:inline">{durationText(ms / 2)}</span>
        <span>{durationText(ms)}</span>
      </span>
      <span />
    </div>
  );
}

/** Clocks differ: a step of another machine may seem to lie outside of its run. */
function placeOf({ from: start, ms: whole }: Scale, from: number, ms: number) {
  const left = Math.min(99.5, percent(from - start, whole));
  return { left: `${left}%`, width: `${Math.min(100 - left, percent(ms, whole))}%` };
}

const percent = (part: number, whole: number): number => Math.min(100, Math.max(0, (part / Math.max(1, whole)) * 100));
