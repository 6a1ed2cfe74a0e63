import type { Trigger } from '@roost-ai/sdk';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { roost } from '../api/roost.js';
import { Confirm } from '../components/dialog.js';
import { Menu } from '../components/menu.js';
import { toast, toastError } from '../components/toasts.js';
import { visibleText } from '../components/visible-text.js';
import { TriggerSecret } from './trigger-secret.js';
import { triggersKey } from './triggers.js';

/** What else can be done with a trigger. */
export function TriggerMenu({ agentId, trigger }: { agentId: string; trigger: Trigger }) {
  const { id } = trigger;
  const name = visibleText(trigger.name);
  const [asked, setAsked] = useState<'rotate' | 'delete'>();
  const client = useQueryClient();
  const navigate = useNavigate();
  const close = () => setAsked(undefined);
  const { triggers } = roost.agent(agentId);
  const rotate = useMutation({ mutationFn: () => triggers.rotateSecret(id), onSuccess: close, onError: toastError });
  const remove = useMutation({
    mutationFn: () => triggers.delete(id),
    onSuccess: async () => {
      toast(`${name} is deleted.`);
      await navigate({ to: '/agents/$agentId/triggers', params: { agentId } });
      await client.invalidateQueries({ queryKey: triggersKey(agentId) });
    },
    onError: toastError,
  });
  return (
    <>
      <Menu
        label={`Actions for ${name}`}
        items={[
          {
            label: 'Edit',
            icon: 'pencil',
            onSelect: () =>
              void navigate({
                to: '/agents/$agentId/triggers/$triggerId/edit',
                params: { agentId, triggerId: id },
              }),
          },
          { label: 'New secret …', icon: 'key', onSelect: () => setAsked('rotate') },
          { label: 'Delete …', icon: 'trash-2', isDangerous: true, onSelect: () => setAsked('delete') },
        ]}
      />
      <Confirm
        isOpen={asked === 'rotate'}
        onClose={close}
        onConfirm={() => rotate.mutate()}
        title="Make a new secret?"
        action="Make a new secret"
        isBusy={rotate.isPending}
      >
        The old one works for 24 hours more: time to give the other system the new one.
      </Confirm>
      <Confirm
        isOpen={asked === 'delete'}
        onClose={close}
        onConfirm={() => remove.mutate()}
        title={`Delete ${name}?`}
        action="Delete it"
        isBusy={remove.isPending}
      >
        Its URL is answered by 404 from then on, and its history goes with it. What it has sent to the agent stays.
      </Confirm>
      <TriggerSecret trigger={rotate.data} onClose={() => rotate.reset()} />
    </>
  );
}
