import { Button } from '../components/button.js';
import { Badge } from '../components/feedback.js';
import { TextField } from '../components/field.js';
import { Section } from '../components/page.js';
import type { Provider } from '../settings/keys.js';
import { PROVIDERS } from '../settings/providers.js';

/** A key that is set, or null for one that is taken away; what is not here stays. */
export type KeyChanges = Partial<Record<Provider, string | null>>;

interface ProviderKeyFieldsProps {
  changes: KeyChanges;
  onChange: (changes: KeyChanges) => void;
  /** Providers of which the agent has a key. */
  present: readonly Provider[];
  errors: Record<string, string>;
}

/** An agent's own keys of model providers: set or taken away, and never shown. */
export function ProviderKeyFields({ changes, onChange, present, errors }: ProviderKeyFieldsProps) {
  const set = (provider: Provider, to: string | null | undefined) => {
    const { [provider]: _, ...others } = changes;
    onChange(to === undefined || to === '' ? others : { ...others, [provider]: to });
  };
  return (
    <Section
      title="Keys of model providers"
      about="The agent’s own, in place of those of the account. They are sealed, and never shown again."
    >
      <ul className="space-y-4">
        {PROVIDERS.map(([provider, { label, placeholder }]) => {
          const isPresent = present.includes(provider);
          const change = changes[provider];
          return (
            <li key={provider} className="flex flex-wrap items-end gap-2">
              <div className="min-w-56 grow">
                <TextField
                  label={isPresent ? `New key of ${label}` : `Key of ${label}`}
                  type="password"
                  placeholder={change === null ? 'Is taken away when you save' : placeholder}
                  disabled={change === null}
                  value={change ?? ''}
                  onChange={({ target }) => set(provider, target.value)}
                  error={errors[`provider_keys.${provider}`]}
                  className="font-mono"
                />
              </div>
              {isPresent && (
                <span className="flex min-h-9 items-center gap-2">
                  {change === undefined && <Badge tone="ok">Set</Badge>}
                  <Button
                    onClick={() => set(provider, change === null ? undefined : null)}
                    aria-label={change === null ? `Keep it: the key of ${label}` : `Take away the key of ${label}`}
                  >
                    {change === null ? 'Keep it' : 'Take away'}
                  </Button>
                </span>
              )}
            </li>
          );
        })}
      </ul>
    </Section>
  );
}
