import { useBlocker } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { Button } from './button.js';
import { Dialog } from './dialog.js';

interface UnsavedGuardProps {
  isChanged: boolean;
  /** Of the address' search: what names the thing that is edited. Other changes of the search leave nothing. */
  of?: string;
  children: ReactNode;
}

/** Asks before somebody leaves what is not saved: here for another screen, by the browser itself for another page. */
export function UnsavedGuard({ isChanged, of, children }: UnsavedGuardProps) {
  const { status, proceed, reset } = useBlocker({
    shouldBlockFn: ({ current, next }) =>
      isChanged &&
      (current.pathname !== next.pathname || (of !== undefined && valueOf(current, of) !== valueOf(next, of))),
    enableBeforeUnload: () => isChanged,
    withResolver: true,
  });
  return (
    <Dialog
      isOpen={status === 'blocked'}
      onClose={() => reset?.()}
      title="Leave without saving?"
      actions={
        <>
          <Button onClick={() => reset?.()}>Stay</Button>
          <Button kind="danger" onClick={() => proceed?.()}>
            Leave
          </Button>
        </>
      }
    >
      <p className="text-soft">{children}</p>
    </Dialog>
  );
}

const valueOf = ({ search }: { search: object }, name: string): unknown => (search as Record<string, unknown>)[name];
