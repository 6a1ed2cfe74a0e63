import type { VaultSecret } from '@roost-ai/sdk';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { SelectField, TextArea, TextField } from '../components/field.js';
import { FormDialog } from '../components/form-dialog.js';
import { toast } from '../components/toasts.js';
import { errorsByField } from '../schema-form/errors-by-field.js';
import { draftOf, type Kind, KINDS, saveSecret, type SecretDraft, vaultKey } from './vault.js';

/** Puts a secret into the vault, or changes the one that is given. */
export function SecretDialog({ secret, onClose }: { secret: VaultSecret | undefined; onClose: () => void }) {
  const client = useQueryClient();
  const [draft, setDraft] = useState(() => draftOf(secret));
  const save = useMutation({
    mutationFn: () => saveSecret(draft, secret),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: vaultKey });
      toast(secret ? 'The secret is changed: the next request carries it.' : 'The secret is in the vault.');
      onClose();
    },
  });
  return (
    <FormDialog
      onClose={onClose}
      title={secret ? `Edit ${secret.name}` : 'New secret'}
      saving={save}
      onSubmit={save.mutate}
      action={secret ? 'Save' : 'Put it into the vault'}
      failure="The secret was not saved"
    >
      <SecretFields
        draft={draft}
        set={(change) => setDraft({ ...draft, ...change })}
        secret={secret}
        errors={errorsByField(save.error)}
      />
    </FormDialog>
  );
}

/** Of a list, or of the first of its items that was refused: the message names it. */
const errorIn = (errors: Record<string, string>, list: string) =>
  errors[list] ?? Object.entries(errors).find(([field]) => field.startsWith(`${list}.`))?.[1];

interface SecretFieldsProps {
  draft: SecretDraft;
  set: (change: Partial<SecretDraft>) => void;
  secret: VaultSecret | undefined;
  errors: Record<string, string>;
}

function SecretFields({ draft, set, secret, errors }: SecretFieldsProps) {
  return (
    <>
      {!secret && (
        <TextField
          label="Name"
          required
          placeholder="github"
          hint="Lower-case letters, digits and _. It cannot be changed later."
          value={draft.name}
          onChange={({ target }) => set({ name: target.value })}
          error={errors['name']}
        />
      )}
      <TextArea
        label="Hosts"
        required
        rows={2}
        placeholder="api.github.com"
        hint="The only ones that it is ever sent to, one per line. *.example.com stands for one level: api.example.com."
        value={draft.hosts}
        onChange={({ target }) => set({ hosts: target.value })}
        error={errorIn(errors, 'hosts')}
        className="font-mono"
      />
      <div className="grid gap-4 sm:grid-cols-2">
        <TextField
          label="Methods"
          placeholder="all"
          hint="Such as GET, POST."
          value={draft.methods}
          onChange={({ target }) => set({ methods: target.value })}
          error={errorIn(errors, 'methods')}
        />
        <TextField
          label="Paths"
          placeholder="all"
          hint="Such as /repos/acme, with all below it."
          value={draft.paths}
          onChange={({ target }) => set({ paths: target.value })}
          error={errorIn(errors, 'path_prefixes')}
        />
      </div>
      <SelectField
        label="Kind"
        value={draft.kind}
        onChange={({ target }) => set({ kind: target.value as Kind, values: {} })}
      >
        {Object.entries(KINDS).map(([kind, { label }]) => (
          <option key={kind} value={kind}>
            {label}
          </option>
        ))}
      </SelectField>
      <CredentialFields draft={draft} set={set} isNew={!secret || secret.kind !== draft.kind} errors={errors} />
    </>
  );
}

function CredentialFields({ draft, set, isNew, errors }: Omit<SecretFieldsProps, 'secret'> & { isNew: boolean }) {
  const setValue = (name: string, value: string) => set({ values: { ...draft.values, [name]: value } });
  const isTyped = Object.values(draft.values).some((value) => value !== '');
  return (
    <div className="space-y-4">
      {KINDS[draft.kind].fields.map(({ name, label, isSecret, isOptional, isLong, placeholder }) => {
        const shared = {
          label: isOptional ? `${label} (optional)` : label,
          placeholder,
          autoComplete: 'off',
          required: !isOptional && (isNew || isTyped),
          value: draft.values[name] ?? '',
          error: errors[`credential.${name}`],
          className: 'font-mono',
        };
        return isLong ? (
          <TextArea key={name} rows={4} {...shared} onChange={({ target }) => setValue(name, target.value)} />
        ) : (
          <TextField
            key={name}
            type={isSecret ? 'password' : 'text'}
            {...shared}
            onChange={({ target }) => setValue(name, target.value)}
          />
        );
      })}
      <p className="text-xs text-faint">
        {isNew
          ? 'It is sealed, and never shown again.'
          : 'Left empty, the value stays. A new one is never shown again.'}
      </p>
    </div>
  );
}
