import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { roost } from '../api/roost.js';
import { Button } from '../components/button.js';
import { Confirm } from '../components/dialog.js';
import { Badge, ErrorNote, SameBy, Skeletons } from '../components/feedback.js';
import { TextField } from '../components/field.js';
import { Page, Section } from '../components/page.js';
import { Time } from '../components/time.js';
import { toast, toastError } from '../components/toasts.js';
import { errorsByField } from '../schema-form/errors-by-field.js';
import { type Provider, providerKeysQuery } from './keys.js';
import { PROVIDERS } from './providers.js';
import { SettingsTabs } from './settings-tabs.js';

/** Keys of model providers, for all agents that bring none. */
export function ProviderKeysPage() {
  const { data: keys, error, refetch } = useQuery(providerKeysQuery);
  return (
    <Page
      title="Settings"
      tabTitle="Provider keys"
      about="Your own keys of model providers: agents use them unless they bring one. Without either, the key of whoever runs this Roost is used, if there is one."
    >
      <SettingsTabs />
      {error && !keys && <ErrorNote error={error} title="The keys cannot be listed" onRetry={() => void refetch()} />}
      {!keys && !error && <Skeletons count={3} className="h-34" />}
      {keys && (
        <div className="space-y-4">
          {PROVIDERS.map(([provider, words]) => (
            <ProviderKey
              key={provider}
              provider={provider}
              setAt={keys.find((key) => key.provider === provider)?.updated_at}
              {...words}
            />
          ))}
          <SameBy
            means="SDK"
            code="await roost.account.providerKeys.set({ provider: 'anthropic', api_key: process.env.ANTHROPIC_API_KEY });"
          />
        </div>
      )}
    </Page>
  );
}

interface ProviderKeyProps {
  provider: Provider;
  label: string;
  placeholder: string;
  /** Undefined: none is set. */
  setAt: string | undefined;
}

function ProviderKey({ provider, label, placeholder, setAt }: ProviderKeyProps) {
  const [apiKey, setApiKey] = useState('');
  const [isAsked, setAsked] = useState(false);
  const client = useQueryClient();
  const reload = () => client.invalidateQueries({ queryKey: providerKeysQuery.queryKey });
  const save = useMutation({
    mutationFn: () => roost.account.providerKeys.set({ provider, api_key: apiKey.trim() }),
    onSuccess: async () => {
      setApiKey('');
      await reload();
      toast(`The key of ${label} is set.`);
    },
  });
  const remove = useMutation({
    mutationFn: () => roost.account.providerKeys.delete(provider),
    onSuccess: async () => {
      await reload();
      toast(`The key of ${label} is deleted.`);
    },
    onError: toastError,
    onSettled: () => setAsked(false),
  });
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    save.mutate();
  };
  return (
    <Section
      title={label}
      actions={
        setAt === undefined ? (
          <Badge>No key</Badge>
        ) : (
          <span className="flex items-center gap-3 text-sm text-soft">
            <span>
              <Badge tone="ok">Set</Badge> <Time at={setAt} />
            </span>
            <Button
              onClick={() => setAsked(true)}
              // Sent meanwhile, either could arrive first.
              disabled={save.isPending}
              aria-label={`Delete the key of ${label}`}
            >
              Delete
            </Button>
          </span>
        )
      }
    >
      <form onSubmit={onSubmit} className="flex flex-wrap items-end gap-2">
        <div className="min-w-56 grow">
          <TextField
            label={setAt === undefined ? `Key of ${label}` : `New key of ${label}`}
            type="password"
            autoComplete="off"
            required
            placeholder={placeholder}
            value={apiKey}
            onChange={({ target }) => setApiKey(target.value)}
            error={errorsByField(save.error)['api_key']}
            className="font-mono"
          />
        </div>
        <Button type="submit" isBusy={save.isPending} disabled={apiKey.trim() === ''}>
          {setAt === undefined ? 'Set the key' : 'Replace it'}
        </Button>
      </form>
      <p className="pt-1.5 text-xs text-faint">It is sealed, and never shown again.</p>
      {save.error && <ErrorNote error={save.error} title="The key was not set" />}
      <Confirm
        isOpen={isAsked}
        onClose={() => setAsked(false)}
        onConfirm={() => remove.mutate()}
        title={`Delete the key of ${label}?`}
        action="Delete it"
        isBusy={remove.isPending}
      >
        Agents that bring no key of their own go on with the one of whoever runs this Roost; without it their messages
        fail.
      </Confirm>
    </Section>
  );
}
