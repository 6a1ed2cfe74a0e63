interface UseBarProps {
  label: string;
  percent: number;
  /** From where on it wants a look. */
  warnAt?: number;
}

/** How much of a limit is used. */
export function UseBar({ label, percent, warnAt = 80 }: UseBarProps) {
  const tone = percent >= 100 ? 'bg-bad' : percent >= warnAt ? 'bg-warn' : 'bg-accent';
  const shown = Math.min(100, Math.max(0, percent));
  return (
    <div
      role="meter"
      aria-label={label}
      aria-valuenow={shown}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuetext={`${percent} %`}
      className="h-2 overflow-hidden rounded-full bg-line"
    >
      <div className={`h-full rounded-full ${tone}`} style={{ width: `${shown}%` }} />
    </div>
  );
}
