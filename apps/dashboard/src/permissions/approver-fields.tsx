import type { Api } from '@roost-ai/sdk';
import { Button, IconButton } from '../components/button.js';
import { CheckField, inputClass } from '../components/field.js';

type Approver = Api.Approver;
const PLATFORMS = ['discord', 'slack', 'telegram'] as const;

interface ApproverFieldsProps {
  /** Undefined: as for all agents. */
  value: Approver[] | undefined;
  onChange: (approvers: Approver[] | undefined) => void;
  error: string | undefined;
}

/** Who may decide in chats. Whoever may use the API, as this page does, may in any case. */
export function ApproverFields({ value, onChange, error }: ApproverFieldsProps) {
  const set = (at: number, change: Partial<Approver>) =>
    onChange(value?.map((each, index) => (index === at ? { ...each, ...change } : each)));
  return (
    <div className="space-y-2">
      <CheckField
        label="In chats, only certain people decide"
        hint="Else whoever linked the chat with the agent. Here, and by the API, you decide in any case."
        checked={value !== undefined}
        onChange={({ target }) => onChange(target.checked ? [{ platform: 'telegram', user_id: '' }] : undefined)}
      />
      {value?.map(({ platform, user_id: userId }, index) => (
        <div key={index} className="flex gap-2">
          <select
            aria-label={`Platform of person ${index + 1}`}
            value={platform}
            onChange={({ target }) => set(index, { platform: target.value as Approver['platform'] })}
            className={`${inputClass} w-36 flex-none`}
          >
            {PLATFORMS.map((each) => (
              <option key={each}>{each}</option>
            ))}
          </select>
          <input
            aria-label={`Id of person ${index + 1}`}
            placeholder="The platform’s id of the person"
            autoComplete="off"
            required
            value={userId}
            onChange={({ target }) => set(index, { user_id: target.value })}
            className={`${inputClass} min-w-0 flex-1 font-mono`}
          />
          <IconButton
            icon="x"
            label={`Remove person ${index + 1}`}
            onClick={() => onChange(value.length > 1 ? value.toSpliced(index, 1) : undefined)}
          />
        </div>
      ))}
      {value && (
        <Button kind="quiet" icon="plus" onClick={() => onChange([...value, { platform: 'telegram', user_id: '' }])}>
          Another person
        </Button>
      )}
      {error && <p className="text-xs font-medium text-bad">{error}</p>}
    </div>
  );
}
