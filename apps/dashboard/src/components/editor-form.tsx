import { createLink } from '@tanstack/react-router';
import type { AnchorHTMLAttributes, ReactNode } from 'react';
import { Button, buttonClass } from './button.js';
import { ErrorNote } from './feedback.js';
import { Form, type Saving } from './form.js';
import { UnsavedGuard } from './unsaved-guard.js';

interface EditorFormProps {
  saving: Saving;
  onSave: () => void;
  /** Something in it is not saved. */
  isChanged: boolean;
  /** What is edited: `the schedule`. */
  what: string;
  className?: string;
  children: ReactNode;
}

/** A form that edits one thing: asks before somebody leaves it unsaved. */
export function EditorForm({ saving, onSave, isChanged, what, className = '', children }: EditorFormProps) {
  return (
    <Form saving={saving} onSubmit={onSave} className={className}>
      {children}
      <UnsavedGuard isChanged={isChanged && !saving.isPending}>What you changed of {what} is lost.</UnsavedGuard>
    </Form>
  );
}

interface EditorActionsProps {
  saving: Saving;
  what: string;
  /** A `CancelLink`. */
  cancel: ReactNode;
  /** What the button does, in its words. */
  action: string;
  /** What else can be done with what was edited. */
  also?: ReactNode;
  disabled?: boolean;
}

/** At the end of an editor, and seen however long it is: what was refused, and the ways out. */
export function EditorActions({ saving, what, cancel, action, also, disabled = false }: EditorActionsProps) {
  return (
    <div className="sticky bottom-0 z-10 space-y-3 border-t border-line bg-canvas py-3">
      {saving.error && (
        <ErrorNote error={saving.error} title={`${what[0]?.toUpperCase()}${what.slice(1)} was not saved`} />
      )}
      <div className="flex flex-wrap justify-end gap-2">
        {cancel}
        {also}
        <Button type="submit" kind="primary" isBusy={saving.isPending} disabled={disabled}>
          {action}
        </Button>
      </div>
    </div>
  );
}

/** Back to where the editor was opened. */
export const CancelLink = createLink((props: AnchorHTMLAttributes<HTMLAnchorElement>) => (
  <a {...props} className={buttonClass()}>
    Cancel
  </a>
));
