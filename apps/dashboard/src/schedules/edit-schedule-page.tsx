import type { Schedule } from '@roost-ai/sdk';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { AgentPage } from '../agents/agent-page.js';
import { roost } from '../api/roost.js';
import { BackLink } from '../components/back-link.js';
import { CancelLink, EditorActions, EditorForm } from '../components/editor-form.js';
import { ErrorNote, Skeletons } from '../components/feedback.js';
import { OWN_ZONE } from '../components/time.js';
import { toast } from '../components/toasts.js';
import { errorsByField } from '../schema-form/errors-by-field.js';
import { type ScheduleDraft, ScheduleForm } from './schedule-form.js';
import { scheduleQuery, schedulesKey } from './schedules.js';

const newRoute = getRouteApi('/app/agents/$agentId/schedules/new');
const editRoute = getRouteApi('/app/agents/$agentId/schedules/$scheduleId/edit');

export function NewSchedulePage() {
  const { agentId } = newRoute.useParams();
  const { schedules } = roost.agent(agentId);
  const draft: ScheduleDraft = {
    ...{ name: '', cron_expression: '0 9 * * 1-5', message_template: '', enabled: true },
    ...{ timezone: OWN_ZONE, queue_mode: 'collect' },
    ...{ overlap: 'queue', catch_up: 'latest' },
  };
  return (
    <AgentPage title="New schedule" back={<BackToList agentId={agentId} />}>
      <Editor agentId={agentId} draft={draft} save={(made) => schedules.create(made)} action="Make the schedule" />
    </AgentPage>
  );
}

export function EditSchedulePage() {
  const { agentId, scheduleId } = editRoute.useParams();
  const { data, error, refetch } = useQuery(scheduleQuery(agentId, scheduleId));
  const { schedules } = roost.agent(agentId);
  return (
    <AgentPage title={data ? `Edit ${data.name}` : 'Edit the schedule'} back={<BackToList agentId={agentId} />}>
      {error && !data && <ErrorNote error={error} onRetry={() => void refetch()} />}
      {!data && !error && <Skeletons count={2} className="h-64" />}
      {data && (
        <Editor
          agentId={agentId}
          draft={data}
          save={(changed) => schedules.update(scheduleId, changed)}
          action="Save"
        />
      )}
    </AgentPage>
  );
}

const BackToList = ({ agentId }: { agentId: string }) => (
  <BackLink to="/agents/$agentId/schedules" params={{ agentId }}>
    Schedules
  </BackLink>
);

interface EditorProps {
  agentId: string;
  draft: ScheduleDraft;
  save: (draft: ScheduleDraft) => Promise<Schedule>;
  action: string;
}

function Editor({ agentId, draft: first, save, action }: EditorProps) {
  const [begun] = useState(() => fieldsOf(first));
  const [draft, setDraft] = useState(begun);
  const client = useQueryClient();
  const navigate = useNavigate();
  const saved = useMutation({
    mutationFn: () => save(draft),
    onSuccess: (schedule) => {
      client.setQueryData(scheduleQuery(agentId, schedule.id).queryKey, schedule);
      void client.invalidateQueries({ queryKey: schedulesKey(agentId) });
      toast(`${schedule.name} is saved.`);
      void navigate({ to: '/agents/$agentId/schedules/$scheduleId', params: { agentId, scheduleId: schedule.id } });
    },
  });
  return (
    <EditorForm
      saving={saved}
      onSave={saved.mutate}
      isChanged={draft !== begun && !saved.isSuccess}
      what="the schedule"
    >
      <ScheduleForm agentId={agentId} draft={draft} onChange={setDraft} errors={errorsByField(saved.error)}>
        <EditorActions
          saving={saved}
          what="the schedule"
          cancel={<CancelLink to="/agents/$agentId/schedules" params={{ agentId }} />}
          action={action}
        />
      </ScheduleForm>
    </EditorForm>
  );
}

/** What can be changed of a schedule. */
const fieldsOf = (one: ScheduleDraft): ScheduleDraft => ({
  name: one.name,
  cron_expression: one.cron_expression,
  message_template: one.message_template,
  timezone: one.timezone,
  enabled: one.enabled,
  queue_mode: one.queue_mode,
  overlap: one.overlap,
  catch_up: one.catch_up,
});
