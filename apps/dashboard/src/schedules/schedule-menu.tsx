import type { Schedule } from '@roost-ai/sdk';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { Confirm } from '../components/dialog.js';
import { Menu } from '../components/menu.js';
import { useScheduleAction } from './schedules.js';

/** What else can be done with a schedule. */
export function ScheduleMenu({ agentId, schedule }: { agentId: string; schedule: Schedule }) {
  const [asked, setAsked] = useState(false);
  const navigate = useNavigate();
  const change = useScheduleAction(agentId);
  const params = { agentId, scheduleId: schedule.id };
  const remove = () =>
    change.mutate(
      { kind: 'delete', schedule },
      { onSuccess: () => void navigate({ to: '/agents/$agentId/schedules', params: { agentId } }) },
    );
  return (
    <>
      <Menu
        label={`Actions for ${schedule.name}`}
        items={[
          { label: 'Run now', icon: 'play', onSelect: () => change.mutate({ kind: 'run', schedule }) },
          {
            label: 'Edit',
            icon: 'pencil',
            onSelect: () => void navigate({ to: '/agents/$agentId/schedules/$scheduleId/edit', params }),
          },
          { label: 'Delete …', icon: 'trash-2', isDangerous: true, onSelect: () => setAsked(true) },
        ]}
      />
      <Confirm
        isOpen={asked}
        onClose={() => setAsked(false)}
        onConfirm={remove}
        title={`Delete ${schedule.name}?`}
        action="Delete it"
        isBusy={change.isPending}
      >
        It fires no more, and its history goes with it. What it has sent to the agent stays.
      </Confirm>
    </>
  );
}
