import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { roost } from '../api/roost.js';
import { SameBy } from '../components/feedback.js';
import { TextField } from '../components/field.js';
import { FormDialog } from '../components/form-dialog.js';
import { SecretOnce } from '../components/secret-once.js';
import { errorsByField } from '../schema-form/errors-by-field.js';
import { apiKeysQuery } from './keys.js';

const SDK = `import { Roost } from '@roost-ai/sdk';

const roost = new Roost({ url: '${window.location.origin}', apiKey: process.env.ROOST_API_KEY });`;

/** Asks for a name, and shows the key once. */
export function NewApiKey({ isOpen, onClose }: { isOpen: boolean; onClose: () => void }) {
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
  return (
    <>
      <FormDialog
        isOpen={isOpen}
        onClose={onClose}
        title="New API key"
        saving={make}
        onSubmit={make.mutate}
        action="Make the key"
        failure="The key was not made"
      >
        <TextField
          label="Name"
          required
          placeholder="ci"
          hint="Who or what uses it."
          value={name}
          onChange={({ target }) => setName(target.value)}
          error={errorsByField(make.error)['name']}
        />
      </FormDialog>
      <SecretOnce secret={make.data?.key} onClose={() => make.reset()} title={`The key ${make.data?.name ?? ''}`}>
        <SameBy means="SDK" code={SDK} />
        <SameBy means="CLI" code={`roost login --url ${window.location.origin}`} />
      </SecretOnce>
    </>
  );
}
