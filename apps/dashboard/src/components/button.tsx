import type { ButtonHTMLAttributes, ReactNode } from 'react';
import { Icon } from './icon.js';
import type { IconName } from './icon-name.js';

export type ButtonKind = 'primary' | 'plain' | 'quiet' | 'danger';

const KINDS: Record<ButtonKind, string> = {
  primary: 'bg-accent text-on-accent hover:bg-accent-strong border-transparent',
  plain: 'bg-surface text-ink border-line hover:bg-sunken',
  quiet: 'bg-transparent text-soft border-transparent hover:bg-sunken hover:text-ink',
  danger: 'bg-bad text-on-bad hover:bg-bad-strong border-transparent',
};
const BASE =
  'inline-flex min-h-9 items-center justify-center gap-2 rounded-lg border px-3 text-sm font-medium whitespace-nowrap transition-colors disabled:opacity-55 disabled:cursor-not-allowed';

/** How a link looks that is as prominent as a button. */
export const buttonClass = (kind: ButtonKind = 'plain') => `${BASE} ${KINDS[kind]}`;

interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  kind?: ButtonKind;
  icon?: IconName;
  /** Something that it began goes on: it cannot be begun a second time. */
  isBusy?: boolean;
  children: ReactNode;
}

export function Button({ kind = 'plain', icon, isBusy = false, className = '', children, ...rest }: ButtonProps) {
  return (
    <button
      type="button"
      {...rest}
      disabled={rest.disabled === true || isBusy}
      aria-busy={isBusy || undefined}
      className={`${buttonClass(kind)} ${className}`}
    >
      {isBusy ? <Icon name="loader-circle" className="animate-spin" /> : icon && <Icon name={icon} />}
      {children}
    </button>
  );
}

interface IconButtonProps extends Omit<ButtonHTMLAttributes<HTMLButtonElement>, 'children'> {
  icon: IconName;
  /** Says what it does: it is read out, and shown on hover. */
  label: string;
  kind?: ButtonKind;
}

export function IconButton({ icon, label, kind = 'quiet', className = '', ...rest }: IconButtonProps) {
  return (
    <button
      type="button"
      title={label}
      aria-label={label}
      {...rest}
      className={`inline-flex size-9 shrink-0 items-center justify-center rounded-lg border transition-colors disabled:opacity-55 ${KINDS[kind]} ${className}`}
    >
      <Icon name={icon} />
    </button>
  );
}
