import type { ReactNode } from 'react';
import { Button } from './button.js';
import { CodeLine } from './code.js';
import { Dialog } from './dialog.js';

interface SecretOnceProps {
  /** Undefined: there is none to show. */
  secret: string | undefined;
  onClose: () => void;
  title: string;
  /** What it is for, and what to do with it. */
  children: ReactNode;
}

/** A secret that Roost shows once. A click beside the dialog does not close it: what was not kept is lost. */
export function SecretOnce({ secret, onClose, title, children }: SecretOnceProps) {
  return (
    <Dialog
      isOpen={secret !== undefined}
      onClose={onClose}
      isKept
      size="large"
      title={title}
      actions={
        <Button kind="primary" onClick={onClose}>
          I have kept it
        </Button>
      }
    >
      <div className="space-y-3">
        <p className="font-medium">Keep it now: it is not shown again.</p>
        <CodeLine code={secret ?? ''} label="Secret" />
        {children}
      </div>
    </Dialog>
  );
}
