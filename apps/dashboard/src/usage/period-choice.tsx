import { inputClass } from '../components/field.js';
import { Segmented } from '../components/segmented.js';
import { OWN_ZONE } from '../components/time.js';
import { datesOf, type Period, periodOf, PRESET_DAYS } from './period.js';

const PRESETS = PRESET_DAYS.map((days) => ({ value: String(days), label: `${days} days` }));

/** The last days, or any dates. */
export function PeriodChoice({ period, onChange }: { period: Period; onChange: (period: Period) => void }) {
  const dates = datesOf(period, OWN_ZONE);
  const set = (change: Partial<typeof dates>) => {
    const next = { ...dates, ...change };
    // What would end before it begins is one day.
    if (next.from > next.to) Object.assign(next, { from: change.from ?? next.to, to: change.to ?? next.from });
    onChange(periodOf(next));
  };
  return (
    <div className="flex flex-wrap items-center gap-2 pb-5">
      <Segmented
        label="Period"
        options={PRESETS}
        value={period.from ? '' : String(period.days ?? 30)}
        onChange={(days) => onChange(periodOf({ days }))}
      />
      <div className="flex grow items-center gap-2 sm:grow-0">
        <DateField label="From" value={dates.from} onChange={(from) => set({ from })} />
        <span aria-hidden className="text-faint">
          –
        </span>
        <DateField label="To" value={dates.to} onChange={(to) => set({ to })} />
      </div>
    </div>
  );
}

function DateField({ label, value, onChange }: { label: string; value: string; onChange: (value: string) => void }) {
  return (
    <label className="grow">
      <span className="sr-only">{label}</span>
      <input
        type="date"
        required
        value={value}
        onChange={({ target }) => target.value && onChange(target.value)}
        className={inputClass}
      />
    </label>
  );
}
