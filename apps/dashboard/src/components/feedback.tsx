import { RoostError } from '@roost-ai/sdk';
import type { ReactNode } from 'react';
import { Button } from './button.js';
import { CodeLine } from './code.js';
import { Icon } from './icon.js';
import type { IconName } from './icon-name.js';

/** What went wrong in the words of Roost, which say what to do, and the id by which its log has more. */
export function ErrorNote({
  error,
  onRetry,
  title = 'That did not work',
}: {
  error: unknown;
  onRetry?: () => void;
  title?: string;
}) {
  return (
    <div role="alert" className="flex gap-3 rounded-xl border border-bad/40 bg-bad-soft p-4 text-sm">
      <Icon name="circle-alert" className="mt-0.5 text-bad" />
      <div className="min-w-0 grow space-y-1">
        <p className="font-semibold text-ink">{title}</p>
        <p className="wrap-anywhere text-soft">{messageOf(error)}</p>
        {error instanceof RoostError && error.requestId !== undefined && (
          <p className="text-xs text-soft">
            {error.code} · request <code className="font-mono wrap-anywhere select-all">{error.requestId}</code>
          </p>
        )}
      </div>
      {onRetry && (
        <Button icon="refresh-cw" onClick={onRetry} className="self-start">
          Try again
        </Button>
      )}
    </div>
  );
}

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

interface EmptyProps {
  icon: IconName;
  title: string;
  children: ReactNode;
  /** What begins here. */
  action?: ReactNode;
  /** The same by a program. */
  code?: string;
  /** The same on the command line. */
  cli?: string;
}

/** Where nothing is yet: what it would be, how it begins, and the lines by which a program does it. */
export function Empty({ icon, title, children, action, code, cli }: EmptyProps) {
  return (
    <div className="mx-auto flex max-w-xl flex-col items-center gap-3 px-4 py-14 text-center">
      <span className="flex size-12 items-center justify-center rounded-2xl bg-accent-soft text-accent">
        <Icon name={icon} className="size-6" />
      </span>
      <h2 className="text-lg font-semibold">{title}</h2>
      <div className="text-soft">{children}</div>
      {action}
      {code !== undefined && <SameBy means="SDK" code={code} />}
      {cli !== undefined && <SameBy means="CLI" code={cli} />}
    </div>
  );
}

/** A line that does what a screen does. */
export function SameBy({ means, code }: { means: 'SDK' | 'CLI'; code: string }) {
  return (
    <div className="w-full pt-3 text-left">
      <p className="pb-1 text-xs text-faint">The same by the {means}</p>
      <CodeLine code={code} label={means} />
    </div>
  );
}

/** As large as what comes in its place, so that nothing moves. */
export function Skeletons({ count = 4, className = 'h-16' }: { count?: number; className?: string }) {
  return (
    <div role="status" className="space-y-3">
      <span className="sr-only">Loading</span>
      {Array.from({ length: count }, (_, index) => (
        <div key={index} className={`skeleton w-full ${className}`} />
      ))}
    </div>
  );
}

export type Tone = 'ok' | 'warn' | 'bad' | 'neutral' | 'accent';
const TONES: Record<Tone, string> = {
  ok: 'bg-ok-soft text-ok',
  warn: 'bg-warn-soft text-warn',
  bad: 'bg-bad-soft text-bad',
  accent: 'bg-accent-soft text-accent',
  neutral: 'bg-sunken text-soft',
};

export function Badge({ tone = 'neutral', children, title }: { tone?: Tone; children: ReactNode; title?: string }) {
  return (
    <span
      title={title}
      className={`inline-flex items-center gap-1.5 rounded-full px-2 py-0.5 text-xs font-medium whitespace-nowrap ${TONES[tone]}`}
    >
      {children}
    </span>
  );
}
