import { type FormHTMLAttributes, useEffect, useRef } from 'react';

/** What a form sends, as `useMutation` gives it. */
export interface Saving {
  isPending: boolean;
  error: Error | null;
}

interface FormProps extends Omit<FormHTMLAttributes<HTMLFormElement>, 'onSubmit'> {
  saving: Saving;
  onSubmit: () => void;
}

/** A form that is sent by the page itself, once at a time, also by ⌘Enter: goes to the first field that was refused. */
export function Form({ saving: { isPending, error }, onSubmit, ...rest }: FormProps) {
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => {
    if (error) form.current?.querySelector<HTMLElement>('[aria-invalid=true]')?.focus();
  }, [error]);
  return (
    <form
      ref={form}
      onSubmit={(event) => {
        event.preventDefault();
        if (!isPending) onSubmit();
      }}
      onKeyDown={(event) => {
        // Where Enter alone begins a line. What an editor makes of it is its own.
        if (event.key !== 'Enter' || !(event.metaKey || event.ctrlKey) || event.defaultPrevented) return;
        event.preventDefault();
        event.currentTarget.requestSubmit();
      }}
      {...rest}
    />
  );
}
