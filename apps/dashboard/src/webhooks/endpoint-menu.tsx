import type { WebhookEndpoint } from '@roost-ai/sdk';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { roost } from '../api/roost.js';
import { Confirm } from '../components/dialog.js';
import { Menu } from '../components/menu.js';
import type { MenuItem } from '../components/menu-item.js';
import { toast, toastError } from '../components/toasts.js';
import { visibleText } from '../components/visible-text.js';
import { ReplayDialog } from './replay-dialog.js';
import { SigningSecret } from './signing-secret.js';
import { endpointsKey } from './webhooks.js';

/** What else can be done with an endpoint; one of an agent's configuration is changed there. */
export function EndpointMenu({ endpoint }: { endpoint: WebhookEndpoint }) {
  const { id, url, source } = endpoint;
  const [asked, setAsked] = useState<'delete' | 'rotate' | 'replay'>();
  const client = useQueryClient();
  const navigate = useNavigate();
  const close = () => setAsked(undefined);
  const rotate = useMutation({
    mutationFn: () => roost.webhooks.endpoints.rotateSecret(id),
    onSuccess: close,
    onError: toastError,
  });
  const remove = useMutation({
    mutationFn: () => roost.webhooks.endpoints.delete(id),
    onSuccess: async () => {
      toast('The endpoint is deleted.');
      await navigate({ to: '/webhooks' });
      await client.invalidateQueries({ queryKey: endpointsKey });
    },
    onError: toastError,
  });
  const ofAccount: MenuItem[] = [
    {
      label: 'Edit',
      icon: 'pencil',
      onSelect: () => void navigate({ to: '/webhooks/$endpointId/edit', params: { endpointId: id } }),
    },
    { label: 'New secret …', icon: 'key', onSelect: () => setAsked('rotate') },
    { label: 'Delete …', icon: 'trash-2', isDangerous: true, onSelect: () => setAsked('delete') },
  ];
  return (
    <>
      <Menu
        label="More actions"
        items={[
          { label: 'Send again …', icon: 'history', onSelect: () => setAsked('replay') },
          ...(source === 'account' ? ofAccount : []),
        ]}
      />
      <ReplayDialog endpointId={id} isOpen={asked === 'replay'} onClose={close} />
      <Confirm
        isOpen={asked === 'rotate'}
        onClose={close}
        onConfirm={() => rotate.mutate()}
        title="Make a new secret?"
        action="Make a new secret"
        isBusy={rotate.isPending}
      >
        For 24 hours requests are signed with both, so that your receiver can change over.
      </Confirm>
      <Confirm
        isOpen={asked === 'delete'}
        onClose={close}
        onConfirm={() => remove.mutate()}
        title="Delete this endpoint?"
        action="Delete it"
        isBusy={remove.isPending}
      >
        Nothing is sent to <span className="font-mono wrap-anywhere">{visibleText(url)}</span> any more, and its
        deliveries go with it.
      </Confirm>
      <SigningSecret secret={rotate.data?.secret} onClose={() => rotate.reset()} />
    </>
  );
}
