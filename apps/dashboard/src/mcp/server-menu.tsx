import type { McpServer } from '@roost-ai/sdk';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { agentKey } from '../agents/agents.js';
import { roost } from '../api/roost.js';
import { Confirm } from '../components/dialog.js';
import { Menu } from '../components/menu.js';
import { toast, toastError } from '../components/toasts.js';
import { serversKey } from './mcp.js';

/** What else can be done with a server. */
export function ServerMenu({ agentId, server }: { agentId: string; server: McpServer }) {
  const { id, name } = server;
  const [asked, setAsked] = useState(false);
  const client = useQueryClient();
  const navigate = useNavigate();
  const remove = useMutation({
    mutationFn: () => roost.mcp.delete(id),
    onSuccess: async () => {
      toast(`${name} is removed.`);
      await navigate({ to: '/agents/$agentId/mcp', params: { agentId } });
      await client.invalidateQueries({ queryKey: serversKey });
      await client.invalidateQueries({ queryKey: agentKey(agentId), exact: true });
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
              void navigate({ to: '/agents/$agentId/mcp/$serverId/edit', params: { agentId, serverId: id } }),
          },
          { label: 'Remove …', icon: 'trash-2', isDangerous: true, onSelect: () => setAsked(true) },
        ]}
      />
      <Confirm
        isOpen={asked}
        onClose={() => setAsked(false)}
        onConfirm={() => remove.mutate()}
        title={`Remove ${name}?`}
        action="Remove it"
        isBusy={remove.isPending}
      >
        No agent of the account has its tools any more. Its headers, environment and authorization are forgotten.
      </Confirm>
    </>
  );
}
