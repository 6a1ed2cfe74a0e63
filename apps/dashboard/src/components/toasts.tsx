import { RoostError } from '@roost-ai/sdk';
import { useSyncExternalStore } from 'react';
import { IconButton } from './button.js';
import { messageOf } from './feedback.js';
import { Icon } from './icon.js';

interface Toast {
  id: number;
  text: string;
  isError: boolean;
}

/** Long enough to be read; an error stays until it is closed. */
const SHOWN_MS = 5_000;
const MAX_SHOWN = 4;
let toasts: Toast[] = [];
let count = 0;
const listeners = new Set<() => void>();

function change(next: Toast[]): void {
  toasts = next.slice(-MAX_SHOWN);
  listeners.forEach((listener) => listener());
}

const remove = (id: number) => change(toasts.filter((toast) => toast.id !== id));

/** Says that something was done. */
export function toast(text: string): void {
  const id = (count += 1);
  change([...toasts, { id, text, isError: false }]);
  setTimeout(() => remove(id), SHOWN_MS);
}

/** Says what did not work, with the id of the request. */
export function toastError(error: unknown): void {
  const request = error instanceof RoostError && error.requestId !== undefined ? ` (request ${error.requestId})` : '';
  change([...toasts, { id: (count += 1), text: `${messageOf(error)}${request}`, isError: true }]);
}

export function Toasts() {
  const shown = useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => toasts,
  );
  return (
    <div
      role="status"
      aria-live="polite"
      className="pointer-events-none fixed right-4 bottom-20 z-50 flex w-[min(24rem,calc(100%-2rem))] flex-col gap-2"
    >
      {shown.map(({ id, text, isError }) => (
        <div
          key={id}
          className="appear pointer-events-auto flex items-start gap-2.5 rounded-xl border border-line bg-surface py-2 pr-2 pl-3.5 text-sm shadow-raised"
        >
          <Icon name={isError ? 'circle-alert' : 'check'} className={`mt-2 ${isError ? 'text-bad' : 'text-ok'}`} />
          <p className="grow py-1.5 wrap-anywhere">{text}</p>
          <IconButton icon="x" label="Close" onClick={() => remove(id)} />
        </div>
      ))}
    </div>
  );
}
