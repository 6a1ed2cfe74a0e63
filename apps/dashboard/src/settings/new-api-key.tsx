import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useId, useState } from 'react';
import { roost } from '../api/roost.js';
import { Button } from '../components/button.js';
import { Dialog } from '../components/dialog.js';
import { ErrorNote, SameBy } from '../components/feedback.js';
import { TextField } from '../components/field.js';
import { SecretOnce } from '../components/secret-once.js';
import { errorsByField } from '../schema-form/errors-by-field.js';
import { apiKeysQuery } from './keys.js';

const SDK = `import { Roost } from '@roost-ai/sdk';

const roost = new Roost({ url: '${window.location.origin}', apiKey: process.env.ROOST_API_KEY });`;

/** Asks for a name, and shows the key once. */
export function NewApiKey({ isOpen, onClose }: { isOpen: boolean; onClose: () => void }) {
  const formId = useId();
  const [name, setName] = useState('');
  const client = useQueryClient();
  const make = useMutation({
    mutationFn: () => roost.account.keys.create({ name: name.trim() }),
    onSuccess: () => {
      setName('');
      onClose();
      return client.invalidateQueries({ queryKey: apiKeysQuery.queryKey });
    },
  });
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    make.mutate();
  };
  return (
    <>
      <Dialog
        isOpen={isOpen}
        onClose={onClose}
        title="New API key"
        actions={
          <>
            <Button onClick={onClose}>Cancel</Button>
            <Button type="submit" form={formId} kind="primary" isBusy={make.isPending}>
              Make the key
            </Button>
          </>
        }
      >
        <form id={formId} onSubmit={onSubmit} className="space-y-4">
          <TextField
            label="Name"
            required
            autoFocus
            placeholder="ci"
            hint="Who or what uses it."
            value={name}
            onChange={({ target }) => setName(target.value)}
            error={errorsByField(make.error)['name']}
          />
          {make.error && <ErrorNote error={make.error} title="The key was not made" />}
        </form>
      </Dialog>
      <SecretOnce secret={make.data?.key} onClose={() => make.reset()} title={`The key ${make.data?.name ?? ''}`}>
        <SameBy means="SDK" code={SDK} />
        <SameBy means="CLI" code={`roost login --url ${window.location.origin}`} />
      </SecretOnce>
    </>
  );
}
