import { type ReactNode, useId } from 'react';
import { Button } from './button.js';
import { Dialog } from './dialog.js';
import { ErrorNote } from './feedback.js';
import { Form, type Saving } from './form.js';

interface FormDialogProps {
  isOpen?: boolean;
  onClose: () => void;
  title: string;
  about?: ReactNode;
  saving: Saving & { reset: () => void };
  onSubmit: () => void;
  /** What the button does, in its words. */
  action: string;
  /** What an error means: `The key was not made`. */
  failure: string;
  /** What else can be done with it. */
  also?: ReactNode;
  isDisabled?: boolean;
  /** The fields. */
  children: ReactNode;
}

/** A form in a dialog. A click beside it does not close it: what was typed would be lost. */
export function FormDialog(props: FormDialogProps) {
  const { isOpen = true, onClose, title, about, saving, onSubmit, action, failure, also, isDisabled, children } = props;
  const formId = useId();
  const close = () => {
    // What was refused is over: whoever opens it again begins anew.
    if (saving.error) saving.reset();
    onClose();
  };
  return (
    <Dialog
      isOpen={isOpen}
      isKept
      onClose={close}
      title={title}
      actions={
        <>
          <Button onClick={close}>Cancel</Button>
          {also}
          <Button type="submit" form={formId} kind="primary" isBusy={saving.isPending} disabled={isDisabled}>
            {action}
          </Button>
        </>
      }
    >
      <Form id={formId} saving={saving} onSubmit={onSubmit} className="space-y-4">
        {about && <p className="text-sm text-soft">{about}</p>}
        {children}
        {saving.error && <ErrorNote error={saving.error} title={failure} />}
      </Form>
    </Dialog>
  );
}
