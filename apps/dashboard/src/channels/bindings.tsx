import type { Api, Platform } from '@roost-ai/sdk';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { roost } from '../api/roost.js';
import { Skeletons } from '../components/feedback.js';
import { SelectField } from '../components/field.js';
import { Time } from '../components/time.js';
import { toast, toastError } from '../components/toasts.js';
import { visibleText } from '../components/visible-text.js';
import { channelsKey, linksQuery } from './channels.js';

type Binding = Api.ChannelBinding;

/** Everybody who is linked on a platform, and what of their messages the agent gets. */
export function Bindings({ agentId, platform }: { agentId: string; platform: Platform }) {
  const { data, isPending } = useQuery(linksQuery(agentId, platform));
  if (isPending) return <Skeletons count={1} className="h-14" />;
  return (
    <ul className="divide-y divide-line">
      {(data?.bindings ?? []).map((binding) => (
        <Row key={binding.id} agentId={agentId} binding={binding} />
      ))}
    </ul>
  );
}

function Row({ agentId, binding }: { agentId: string; binding: Binding }) {
  const client = useQueryClient();
  const change = useMutation({
    mutationFn: (next: Api.BindingChange) => roost.agent(agentId).channels.update(binding.id, next),
    onSuccess: () => toast('Saved.'),
    onError: toastError,
    onSettled: () => client.invalidateQueries({ queryKey: channelsKey(agentId) }),
  });
  return (
    <li className="space-y-3 py-3 first:pt-0 last:pb-0">
      <p className="text-sm">
        <span className="font-medium">{visibleText(nameOf(binding))}</span>{' '}
        <span className="text-faint">
          linked <Time at={binding.created_at} />
        </span>
      </p>
      {binding.health_reason && <p className="text-sm wrap-anywhere text-bad">{visibleText(binding.health_reason)}</p>}
      <div className="grid gap-3 sm:grid-cols-2">
        <SelectField
          label="In groups the agent gets"
          value={binding.listen}
          disabled={change.isPending}
          onChange={({ target }) => change.mutate({ listen: target.value as Binding['listen'] })}
        >
          <option value="mentions">What mentions or answers it</option>
          <option value="all">All that this person writes</option>
        </SelectField>
        <SelectField
          label="While it works on something"
          value={binding.queue_mode}
          disabled={change.isPending}
          onChange={({ target }) => change.mutate({ queue_mode: target.value as Binding['queue_mode'] })}
        >
          <option value="collect">Messages wait</option>
          <option value="interrupt">Messages interrupt it</option>
        </SelectField>
      </div>
    </li>
  );
}

function nameOf(binding: Binding): string {
  const name = binding.discord_username ?? binding.slack_username ?? binding.telegram_username;
  const id = binding.discord_user_id ?? binding.slack_user_id ?? binding.telegram_user_id;
  return name ?? (id === undefined ? 'Somebody' : `User ${id}`);
}
