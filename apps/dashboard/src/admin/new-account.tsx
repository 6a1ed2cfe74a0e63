import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useId, useState } from 'react';
import { roost } from '../api/roost.js';
import { Button } from '../components/button.js';
import { Dialog } from '../components/dialog.js';
import { ErrorNote } from '../components/feedback.js';
import { CheckField, TextField } from '../components/field.js';
import { toast } from '../components/toasts.js';
import { errorsByField } from '../schema-form/errors-by-field.js';
import { accountsKey } from './admin.js';

const EMPTY = { email: '', password: '', agents_enabled: true };

/** Asks for the first user of an account. */
export function NewAccount({ isOpen, onClose }: { isOpen: boolean; onClose: () => void }) {
  const formId = useId();
  const [draft, setDraft] = useState(EMPTY);
  const client = useQueryClient();
  const make = useMutation({
    mutationFn: () => roost.admin.accounts.create({ ...draft, email: draft.email.trim() }),
    onSuccess: ({ emails }) => {
      setDraft(EMPTY);
      toast(`${emails[0] ?? 'The account'} can sign in now.`);
      onClose();
      return client.invalidateQueries({ queryKey: accountsKey });
    },
  });
  const errors = errorsByField(make.error);
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    make.mutate();
  };
  return (
    <Dialog
      isOpen={isOpen}
      onClose={onClose}
      title="New account"
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" form={formId} kind="primary" isBusy={make.isPending}>
            Make the account
          </Button>
        </>
      }
    >
      <form id={formId} onSubmit={onSubmit} className="space-y-4">
        <TextField
          label="Email"
          type="email"
          required
          autoFocus
          hint="Counts as verified."
          value={draft.email}
          onChange={({ target }) => setDraft({ ...draft, email: target.value })}
          error={errors['email']}
        />
        <TextField
          label="Password"
          type="password"
          required
          minLength={8}
          autoComplete="new-password"
          hint="At least 8 characters. They can change it."
          value={draft.password}
          onChange={({ target }) => setDraft({ ...draft, password: target.value })}
          error={errors['password']}
        />
        <CheckField
          label="May have agents"
          checked={draft.agents_enabled}
          onChange={({ target }) => setDraft({ ...draft, agents_enabled: target.checked })}
        />
        {make.error && <ErrorNote error={make.error} title="The account was not made" />}
      </form>
    </Dialog>
  );
}
