import { type DialogHTMLAttributes, useLayoutEffect, useRef } from 'react';

interface ModalProps extends DialogHTMLAttributes<HTMLDialogElement> {
  isOpen: boolean;
  onClose: () => void;
  /** A click beside it does not close it: what it shows is not shown again. */
  isKept?: boolean | undefined;
}

/**
 * The browser's own modal dialog: it keeps the focus inside, closes by Escape or a click beside it, and gives the focus
 * back. Radix' would write a style element, which the page's policy refuses. Its children are there while it is open.
 */
export function Modal({ isOpen, onClose, isKept = false, className = '', children, ...rest }: ModalProps) {
  const ref = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => {
    const element = ref.current;
    if (!isOpen || !element) return;
    element.showModal();
    // The browser would begin at the button that closes it.
    element.querySelector<HTMLElement>('form :is(input, select, textarea):enabled')?.focus();
    // Before it leaves the page, too: afterwards the browser gives the focus to nothing.
    return () => element.close();
  }, [isOpen]);
  return (
    <dialog
      ref={ref}
      onClose={onClose}
      onClick={(event) => !isKept && event.target === ref.current && onClose()}
      className={`w-[calc(100%-1.5rem)] overflow-hidden rounded-2xl border border-line bg-surface p-0 shadow-raised backdrop:bg-black/50 ${className}`}
      {...rest}
    >
      {isOpen && children}
    </dialog>
  );
}
