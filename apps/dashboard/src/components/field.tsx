import {
  type ComponentProps,
  type InputHTMLAttributes,
  type ReactNode,
  type SelectHTMLAttributes,
  type TextareaHTMLAttributes,
  useId,
} from 'react';

export const inputClass =
  'w-full rounded-lg border border-line-strong bg-surface px-3 py-1.5 text-sm text-ink placeholder:text-faint min-h-9 aria-invalid:border-bad disabled:bg-sunken disabled:text-faint';

interface About {
  label: string;
  hint?: ReactNode;
  error?: string | undefined;
}

/** A label, what it is about, and what is wrong with it: all read out with the field. */
export function Field({ label, hint, error, children }: About & { children: (ids: FieldIds) => ReactNode }) {
  const id = useId();
  const described = [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(' ');
  return (
    <div className="space-y-1">
      <label htmlFor={id} className="block text-sm font-medium">
        {label}
      </label>
      {children({ id, 'aria-describedby': described || undefined, 'aria-invalid': error ? true : undefined })}
      {hint && (
        <p id={`${id}-hint`} className="text-xs text-faint">
          {hint}
        </p>
      )}
      {error && (
        <p id={`${id}-error`} className="text-xs font-medium text-bad">
          {error}
        </p>
      )}
    </div>
  );
}

interface FieldIds {
  id: string;
  'aria-describedby': string | undefined;
  'aria-invalid': true | undefined;
}

export function TextField({ label, hint, error, className = '', ...rest }: About & ComponentProps<'input'>) {
  return (
    <Field label={label} hint={hint} error={error}>
      {(ids) => <input type="text" autoComplete="off" {...rest} {...ids} className={`${inputClass} ${className}`} />}
    </Field>
  );
}

export function TextArea({
  label,
  hint,
  error,
  className = '',
  ...rest
}: About & TextareaHTMLAttributes<HTMLTextAreaElement>) {
  return (
    <Field label={label} hint={hint} error={error}>
      {(ids) => <textarea rows={4} {...rest} {...ids} className={`${inputClass} resize-y ${className}`} />}
    </Field>
  );
}

export function SelectField({
  label,
  hint,
  error,
  children,
  className = '',
  ...rest
}: About & SelectHTMLAttributes<HTMLSelectElement>) {
  return (
    <Field label={label} hint={hint} error={error}>
      {(ids) => (
        <select {...rest} {...ids} className={`${inputClass} ${className}`}>
          {children}
        </select>
      )}
    </Field>
  );
}

/** One of several that may be chosen together. */
export function CheckField({
  label,
  hint,
  className = '',
  ...rest
}: { label: ReactNode; hint?: ReactNode } & InputHTMLAttributes<HTMLInputElement>) {
  const id = useId();
  return (
    <div className={`flex items-start gap-2.5 ${className}`}>
      <input
        type="checkbox"
        {...rest}
        id={id}
        aria-describedby={hint ? `${id}-hint` : undefined}
        className="mt-0.5 size-4 shrink-0 accent-accent"
      />
      <div className="min-w-0">
        <label htmlFor={id} className="block text-sm font-medium wrap-anywhere">
          {label}
        </label>
        {hint && (
          <p id={`${id}-hint`} className="text-xs wrap-anywhere text-faint">
            {hint}
          </p>
        )}
      </div>
    </div>
  );
}

/** On or off, at once. */
export function Toggle({
  label,
  isOn,
  onChange,
  disabled = false,
}: {
  label: string;
  isOn: boolean;
  onChange: (isOn: boolean) => void;
  disabled?: boolean;
}) {
  return (
    <button
      type="button"
      role="switch"
      aria-checked={isOn}
      aria-label={label}
      title={label}
      disabled={disabled}
      onClick={() => onChange(!isOn)}
      className={`relative h-6 w-10 shrink-0 rounded-full border transition-colors disabled:opacity-55 ${isOn ? 'border-accent bg-accent' : 'border-line-strong bg-sunken'}`}
    >
      <span
        className={`absolute top-0.5 left-0.5 size-4.5 rounded-full transition-transform ${isOn ? 'translate-x-4 bg-on-accent' : 'bg-line-strong'}`}
      />
    </button>
  );
}
