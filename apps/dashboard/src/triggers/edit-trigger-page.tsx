import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { AgentPage } from '../agents/agent-page.js';
import { roost } from '../api/roost.js';
import { BackLink } from '../components/back-link.js';
import { CancelLink, EditorActions, EditorForm } from '../components/editor-form.js';
import { ErrorNote, Skeletons } from '../components/feedback.js';
import { TextArea, TextField } from '../components/field.js';
import { Section } from '../components/page.js';
import { toast } from '../components/toasts.js';
import { errorsByField } from '../schema-form/errors-by-field.js';
import { TriggerSecret } from './trigger-secret.js';
import { triggerQuery, triggersKey } from './triggers.js';

const newRoute = getRouteApi('/app/agents/$agentId/triggers/new');
const editRoute = getRouteApi('/app/agents/$agentId/triggers/$triggerId/edit');

interface TriggerDraft {
  name: string;
  message_template: string;
}
/** What it was saved as; of a new one the secret, too. */
interface Saved {
  id: string;
  webhook_url: string;
  webhook_secret?: string;
}

export function NewTriggerPage() {
  const { agentId } = newRoute.useParams();
  return (
    <AgentPage title="New trigger" back={<BackToList agentId={agentId} />}>
      <Editor
        agentId={agentId}
        draft={{ name: '', message_template: '' }}
        save={(draft) => roost.agent(agentId).triggers.create(draft)}
        action="Make the trigger"
      />
    </AgentPage>
  );
}

export function EditTriggerPage() {
  const { agentId, triggerId } = editRoute.useParams();
  const { data, error, refetch } = useQuery(triggerQuery(agentId, triggerId));
  return (
    <AgentPage title="Edit the trigger" back={<BackToList agentId={agentId} />}>
      {error && !data && <ErrorNote error={error} onRetry={() => void refetch()} />}
      {!data && !error && <Skeletons count={1} className="h-72" />}
      {data && (
        <Editor
          agentId={agentId}
          draft={data}
          save={(draft) => roost.agent(agentId).triggers.update(triggerId, draft)}
          action="Save"
        />
      )}
    </AgentPage>
  );
}

const BackToList = ({ agentId }: { agentId: string }) => (
  <BackLink to="/agents/$agentId/triggers" params={{ agentId }}>
    Triggers
  </BackLink>
);

interface EditorProps {
  agentId: string;
  draft: TriggerDraft;
  save: (draft: TriggerDraft) => Promise<Saved>;
  action: string;
}

function Editor({ agentId, draft: { name, message_template }, save, action }: EditorProps) {
  const [begun] = useState<TriggerDraft>({ name, message_template });
  const [draft, setDraft] = useState(begun);
  const client = useQueryClient();
  const navigate = useNavigate();
  const show = (triggerId: string) =>
    void navigate({ to: '/agents/$agentId/triggers/$triggerId', params: { agentId, triggerId } });
  const saved = useMutation({
    mutationFn: () => save(draft),
    onSuccess: (trigger) => {
      void client.invalidateQueries({ queryKey: triggersKey(agentId) });
      toast(`${draft.name} is saved.`);
      if (trigger.webhook_secret === undefined) show(trigger.id);
    },
  });
  const errors = errorsByField(saved.error);
  const made = saved.data;
  return (
    <EditorForm
      saving={saved}
      onSave={saved.mutate}
      isChanged={draft !== begun && !saved.isSuccess}
      what="the trigger"
      className="max-w-3xl space-y-5"
    >
      <Section title="What the agent is asked">
        <div className="space-y-4">
          <TextField
            label="Name"
            required
            maxLength={255}
            placeholder="New issue"
            value={draft.name}
            onChange={({ target }) => setDraft({ ...draft, name: target.value })}
            error={errors['name']}
          />
          <TextArea
            label="Message"
            required
            rows={6}
            hint="{{payload}} is what was posted, {{payload.issue.title}} a field of it, {{headers.x-github-event}} a header. What is not there is empty."
            placeholder={
              'Issue {{payload.issue.number}}: {{payload.issue.title}}\n\nFind out what is wrong, and propose a fix.'
            }
            value={draft.message_template}
            onChange={({ target }) => setDraft({ ...draft, message_template: target.value })}
            error={errors['message_template']}
          />
        </div>
      </Section>
      <EditorActions
        saving={saved}
        what="the trigger"
        cancel={<CancelLink to="/agents/$agentId/triggers" params={{ agentId }} />}
        action={action}
      />
      <TriggerSecret
        trigger={made?.webhook_secret === undefined ? undefined : { ...made, webhook_secret: made.webhook_secret }}
        onClose={() => made && show(made.id)}
      />
    </EditorForm>
  );
}
