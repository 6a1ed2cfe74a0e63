import type { Platform } from '@roost-ai/sdk';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { roost } from '../api/roost.js';
import { Button } from '../components/button.js';
import { ErrorNote } from '../components/feedback.js';
import { TextField } from '../components/field.js';
import { toast } from '../components/toasts.js';
import { errorsByField } from '../schema-form/errors-by-field.js';
import { channelsKey } from './channels.js';
import { PLATFORMS } from './platforms.js';

/** How a bot is made on a platform, and the place for its token. */
export function TokenForm({ agentId, platform }: { agentId: string; platform: Platform }) {
  const { label, steps, tokens, change } = PLATFORMS[platform];
  const [given, setGiven] = useState<Record<string, string>>({});
  const client = useQueryClient();
  const save = useMutation({
    mutationFn: () => roost.agent(agentId).update(change(given)),
    onSuccess: () => {
      setGiven({});
      toast(`The token is kept: the bot connects to ${label}.`);
      void client.invalidateQueries({ queryKey: channelsKey(agentId) });
    },
  });
  const errors = errorsByField(save.error);
  const errorOf = (name: string) => errors[`${platform}_bot_token.${name}`] ?? errors[`${platform}_bot_token`];
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    save.mutate();
  };
  return (
    <form onSubmit={onSubmit} className="space-y-4">
      <ol className="list-decimal space-y-2 pl-5 text-sm text-soft">
        {steps.map((step, index) => (
          <li key={index}>{step}</li>
        ))}
        <li>Paste it here. It is sealed, and never shown again.</li>
      </ol>
      {tokens.map(({ name, label: of, placeholder, isOptional = false }) => (
        <TextField
          key={name}
          label={of}
          type="password"
          autoComplete="off"
          required={!isOptional}
          placeholder={placeholder}
          hint={isOptional ? 'With it the bot needs no public address.' : undefined}
          error={errorOf(name)}
          value={given[name] ?? ''}
          onChange={({ target }) => setGiven({ ...given, [name]: target.value.trim() })}
        />
      ))}
      {save.error && <ErrorNote error={save.error} title="The token was not taken" />}
      <Button type="submit" kind="primary" isBusy={save.isPending}>
        Connect the bot
      </Button>
    </form>
  );
}
