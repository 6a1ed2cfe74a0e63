import { useEffect, useMemo, useRef, useState } from 'react';
import UPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { compactCount, costText } from '../components/amounts.js';
import { eachDate, longDate, shortDate } from './period.js';
import { tokensOf, type UsageRow } from './usage.js';

const HEIGHT_PX = 260;
/** Height of a date below the axis. */
const DATE_PX = 64;

interface UsageChartProps {
  dates: { from: string; to: string };
  rows: UsageRow[];
  show: 'tokens' | 'cost';
}

/** Bars by day. The figures themselves are in the table by day, which is what a screen reader gets. */
export function UsageChart({ dates, rows, show }: UsageChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const theme = useTheme();
  const { from, to } = dates;
  const days = useMemo(() => daysOf({ from, to }, rows), [from, to, rows]);
  const [at, setAt] = useState<number | null>(null);
  useEffect(() => {
    const element = place.current;
    if (!element) return;
    const chart = new UPlot(optionsOf(days, show, element, setAt), dataOf(days, show), element);
    const observer = new ResizeObserver(() => chart.setSize({ width: element.clientWidth, height: HEIGHT_PX }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      chart.destroy();
    };
    // The colours are those of the theme.
  }, [days, show, theme]);
  const day = at === null ? undefined : days[at];
  return (
    <div>
      <div ref={place} role="img" aria-label={`${show === 'cost' ? 'Cost' : 'Tokens'} by day`} className="h-65" />
      <p className="flex min-h-7 flex-wrap items-end gap-x-4 text-xs text-soft tabular-nums">
        {day ? (
          <>
            <span className="font-medium text-ink">{longDate(day.date)}</span>
            <span>{day.row ? `${compactCount(day.row.input_tokens)} read` : 'nothing'}</span>
            {day.row && <span>{compactCount(day.row.output_tokens)} written</span>}
            {day.row && <span>{costText(day.row.cost_usd ?? day.row.known_cost_usd)}</span>}
          </>
        ) : show === 'tokens' ? (
          <>
            <Mark className="bg-accent">Read</Mark>
            <Mark className="bg-warn">Written</Mark>
          </>
        ) : (
          <Mark className="bg-accent">US dollars, where the price is known</Mark>
        )}
      </p>
    </div>
  );
}

const Mark = ({ className, children }: { className: string; children: string }) => (
  <span className="inline-flex items-center gap-1.5">
    <span aria-hidden className={`size-2.5 rounded-sm ${className}`} />
    {children}
  </span>
);

interface Day {
  date: string;
  row: UsageRow | undefined;
}

function daysOf(dates: UsageChartProps['dates'], rows: UsageRow[]): Day[] {
  const byDate = new Map(rows.map((row) => [row.day, row]));
  return eachDate(dates).map((date) => ({ date, row: byDate.get(date) }));
}

/** What is written stands on what is read: the bar behind is as high as both. */
function dataOf(days: Day[], show: UsageChartProps['show']): UPlot.AlignedData {
  const places = days.map((_, index) => index);
  if (show === 'cost') return [places, days.map(({ row }) => Number(row?.known_cost_usd ?? 0))];
  return [places, days.map(({ row }) => (row ? tokensOf(row) : 0)), days.map(({ row }) => row?.input_tokens ?? 0)];
}

function optionsOf(
  days: Day[],
  show: UsageChartProps['show'],
  element: HTMLElement,
  onDay: (index: number | null) => void,
): UPlot.Options {
  const style = getComputedStyle(element);
  const colour = (name: string) => style.getPropertyValue(name);
  const paths = UPlot.paths.bars?.({ size: [0.7, 48], radius: 0.15 });
  const series = (fill: string): UPlot.Series => ({ fill, ...(paths && { paths }), width: 0, points: { show: false } });
  const axis = { stroke: colour('--ink-faint'), font: `12px ${style.fontFamily}`, ticks: { show: false } };
  const text = show === 'cost' ? costText : compactCount;
  return {
    ...{ width: element.clientWidth, height: HEIGHT_PX, legend: { show: false }, padding: [12, 8, 0, 0] },
    cursor: { y: false, drag: { x: false, y: false }, points: { show: false } },
    scales: {
      x: { time: false, range: [-0.6, days.length - 0.4] },
      y: { range: (_chart, _low, high) => [0, high > 0 ? high * 1.05 : 1] },
    },
    axes: [
      {
        ...{ ...axis, grid: { show: false }, space: DATE_PX, incrs: [1, 2, 7, 14, 28, 56, 182, 364] },
        values: (_chart, places) => places.map((index) => (days[index] ? shortDate(days[index].date) : '')),
      },
      {
        ...axis,
        size: 64,
        grid: { stroke: colour('--line'), width: 1 },
        values: (_chart, amounts) => amounts.map(text),
      },
    ],
    series:
      show === 'cost' ? [{}, series(colour('--accent'))] : [{}, series(colour('--warn')), series(colour('--accent'))],
    hooks: { setCursor: [({ cursor }) => onDay(cursor.idx ?? null)] },
  };
}

const DARK = window.matchMedia('(prefers-color-scheme: dark)');

function useTheme(): boolean {
  const [isDark, setDark] = useState(DARK.matches);
  useEffect(() => {
    const follow = () => setDark(DARK.matches);
    DARK.addEventListener('change', follow);
    return () => DARK.removeEventListener('change', follow);
  }, []);
  return isDark;
}
