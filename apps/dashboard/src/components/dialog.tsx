import { type ReactNode, useId } from 'react';
import { Button, IconButton } from './button.js';
import { Modal } from './modal.js';

interface DialogProps {
  isOpen: boolean;
  onClose: () => void;
  title: string;
  children: ReactNode;
  /** At the bottom, the last one being what the dialog is for. */
  actions?: ReactNode;
  size?: 'small' | 'large';
  /** A click beside it does not close it. */
  isKept?: boolean;
}

const SIZES = { small: 'max-w-md', large: 'max-w-3xl' };

/** A modal dialog with a title, and buttons at its bottom. */
export function Dialog({ isOpen, onClose, title, children, actions, size = 'small', isKept }: DialogProps) {
  const titleId = useId();
  return (
    <Modal
      isOpen={isOpen}
      onClose={onClose}
      isKept={isKept}
      aria-labelledby={titleId}
      className={`m-auto max-h-[min(92dvh,60rem)] ${SIZES[size]} open:flex open:flex-col`}
    >
      <header className="flex items-center justify-between gap-4 border-b border-line py-2.5 pr-2.5 pl-5">
        <h2 id={titleId} className="text-base font-semibold">
          {title}
        </h2>
        <IconButton icon="x" label="Close" onClick={onClose} />
      </header>
      <div className="grow overflow-y-auto px-5 py-4">{children}</div>
      {actions && (
        <footer className="flex flex-wrap justify-end gap-2 border-t border-line bg-canvas px-5 py-3">{actions}</footer>
      )}
    </Modal>
  );
}

interface ConfirmProps {
  isOpen: boolean;
  onClose: () => void;
  onConfirm: () => void;
  title: string;
  /** What will be lost. */
  children: ReactNode;
  /** What the button does, in its words. */
  action: string;
  isBusy?: boolean;
}

/** Before what cannot be undone. */
export function Confirm({ isOpen, onClose, onConfirm, title, children, action, isBusy = false }: ConfirmProps) {
  return (
    <Dialog
      isOpen={isOpen}
      onClose={onClose}
      title={title}
      actions={
        <>
          <Button onClick={onClose}>Keep it</Button>
          <Button kind="danger" onClick={onConfirm} isBusy={isBusy}>
            {action}
          </Button>
        </>
      }
    >
      <div className="text-soft">{children}</div>
    </Dialog>
  );
}
