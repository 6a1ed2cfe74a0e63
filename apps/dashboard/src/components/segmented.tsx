interface SegmentedProps<T extends string> {
  label: string;
  options: readonly { value: T; label: string }[];
  value: T;
  onChange: (value: T) => void;
  className?: string;
}

/** One of a few, all of them to be seen. */
export function Segmented<T extends string>({ label, options, value, onChange, className = '' }: SegmentedProps<T>) {
  return (
    <div
      role="group"
      aria-label={label}
      className={`inline-flex max-w-full flex-wrap gap-1 rounded-lg bg-sunken p-1 ${className}`}
    >
      {options.map((option) => (
        <button
          key={option.value}
          type="button"
          aria-pressed={option.value === value}
          onClick={() => onChange(option.value)}
          className={`min-h-8 grow rounded-md px-4 text-sm font-medium ${option.value === value ? 'bg-surface text-ink shadow-sm' : 'text-soft'}`}
        >
          {option.label}
        </button>
      ))}
    </div>
  );
}
