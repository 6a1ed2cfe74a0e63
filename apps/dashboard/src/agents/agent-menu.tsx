import type { AgentStatus } from '@roost-ai/sdk';
import { useState } from 'react';
import { Confirm } from '../components/dialog.js';
import { Menu } from '../components/menu.js';
import { AGENT_ACTIONS, type AgentAction, useAgentAction, useDeleteAgent } from './agents.js';

interface AgentMenuProps {
  agent: { id: string; name: string; status: AgentStatus };
  onDeleted?: () => void;
}

/** What can be done with an agent in its present state. */
export function AgentMenu({ agent, onDeleted }: AgentMenuProps) {
  const [asked, setAsked] = useState(false);
  const change = useAgentAction();
  const remove = useDeleteAgent();
  const possible = Object.entries(AGENT_ACTIONS).filter(([, { from }]) =>
    (from as readonly string[]).includes(agent.status),
  );
  return (
    <>
      <Menu
        label={`Actions for ${agent.name}`}
        items={[
          ...possible.map(([action, { label, icon }]) => ({
            label,
            icon,
            onSelect: () => change.mutate({ ...agent, action: action as AgentAction }),
          })),
          { label: 'Delete …', icon: 'trash-2', isDangerous: true, onSelect: () => setAsked(true) },
        ]}
      />
      <Confirm
        isOpen={asked}
        onClose={() => setAsked(false)}
        title={`Delete ${agent.name}?`}
        action="Delete permanently"
        isBusy={remove.isPending}
        onConfirm={() =>
          remove.mutate(agent, {
            onSuccess: () => {
              setAsked(false);
              onDeleted?.();
            },
          })
        }
      >
        Its files, conversations, schedules, triggers and linked chats go with it. This cannot be undone.
      </Confirm>
    </>
  );
}
