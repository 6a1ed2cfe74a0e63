import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { roost } from '../api/roost.js';
import { CheckField, TextField } from '../components/field.js';
import { FormDialog } from '../components/form-dialog.js';
import { toast } from '../components/toasts.js';
import { errorsByField } from '../schema-form/errors-by-field.js';
import { accountsKey } from './admin.js';

const EMPTY = { email: '', password: '', agents_enabled: true };

/** Asks for the first user of an account. */
export function NewAccount({ isOpen, onClose }: { isOpen: boolean; onClose: () => void }) {
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
  return (
    <FormDialog
      isOpen={isOpen}
      onClose={onClose}
      title="New account"
      saving={make}
      onSubmit={make.mutate}
      action="Make the account"
      failure="The account was not made"
    >
      <TextField
        label="Email"
        type="email"
        required
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
    </FormDialog>
  );
}
