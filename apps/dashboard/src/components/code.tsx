import { useState } from 'react';
import { IconButton } from './button.js';

/** Copies a text, and says for a moment that it did. */
export function CopyButton({ text, label = 'Copy' }: { text: string; label?: string }) {
  const [state, setState] = useState<'idle' | 'done' | 'failed'>('idle');
  const copy = () => {
    // Browsers give the clipboard to secure pages alone: plain HTTP to another machine has none.
    const done = navigator.clipboard?.writeText(text) ?? Promise.reject(new Error('no clipboard'));
    void done.then(
      () => setState('done'),
      () => setState('failed'),
    );
    setTimeout(() => setState('idle'), 2_000);
  };
  return (
    <>
      <IconButton icon={state === 'done' ? 'check' : state === 'failed' ? 'x' : 'copy'} label={label} onClick={copy} />
      <span role="status" className="sr-only">
        {state === 'done' ? 'Copied' : state === 'failed' ? 'This browser does not allow it: select and copy' : ''}
      </span>
    </>
  );
}

/** A command, a program's line, an address: to be copied. */
export function CodeLine({ code, label = 'Code' }: { code: string; label?: string }) {
  return (
    <div className="flex items-start gap-1 rounded-lg border border-line bg-sunken py-1 pr-1 pl-3">
      <pre tabIndex={0} aria-label={label} className="grow overflow-x-auto py-2 font-mono text-xs">
        <code>{code}</code>
      </pre>
      <CopyButton text={code} label={label === 'Code' ? 'Copy' : `Copy: ${label}`} />
    </div>
  );
}

/** Text that is shown as it is, long or not. */
export function CodeBlock({ text, label }: { text: string; label: string }) {
  return (
    <pre
      tabIndex={0}
      role="region"
      aria-label={label}
      className="max-h-80 overflow-auto rounded-lg border border-line bg-sunken px-3 py-2 font-mono text-xs whitespace-pre-wrap wrap-anywhere"
    >
      {text}
    </pre>
  );
}
