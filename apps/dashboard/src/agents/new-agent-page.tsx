import type { NewAgent } from '@roost-ai/sdk';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { roost } from '../api/roost.js';
import { Button, buttonClass } from '../components/button.js';
import { ErrorNote } from '../components/feedback.js';
import { Page } from '../components/page.js';
import { errorsByField } from '../schema-form/errors-by-field.js';
import type { AgentDraft } from './agent-draft.js';
import { AgentForm } from './agent-form.js';
import { agentsKey } from './agents.js';
import type { KeyChanges } from './provider-key-fields.js';
import { TemplateList } from './template-list.js';
import { TEMPLATES } from './templates.js';

const route = getRouteApi('/app/agents/new');

export function NewAgentPage() {
  const { template: wanted } = route.useSearch();
  const navigate = route.useNavigate();
  const client = useQueryClient();
  const chosen = TEMPLATES.find(({ id }) => id === wanted) ?? TEMPLATES[0];
  const [draft, setDraft] = useState<AgentDraft | undefined>();
  const agent = draft ?? (chosen?.agent as AgentDraft);
  const [keys, setKeys] = useState<KeyChanges>({});
  const [isWhole, setWhole] = useState(true);
  const create = useMutation({
    mutationFn: () => roost.agents.create({ ...agent, provider_keys: keys } as NewAgent),
    onSuccess: ({ id }) => {
      void client.invalidateQueries({ queryKey: agentsKey });
      void navigate({ to: '/agents/$agentId/chat', params: { agentId: id } });
    },
  });
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    create.mutate();
  };
  return (
    <Page
      title="New agent"
      about="Begin with a template, and change what you like; everything can be changed later, too."
    >
      <div className="pb-6">
        <TemplateList chosen={chosen?.id} onChoose={() => setDraft(undefined)} />
      </div>
      <form onSubmit={onSubmit} className="max-w-3xl space-y-5">
        <AgentForm
          key={chosen?.id}
          path="/v1/agent/create"
          draft={agent}
          errors={errorsByField(create.error)}
          keys={keys}
          onKeys={setKeys}
          onChange={(next) => {
            setWhole(next !== undefined);
            if (next) setDraft(next);
          }}
        />
        {create.error && <ErrorNote error={create.error} title="The agent was not made" />}
        <div className="flex justify-end gap-2">
          <Link to="/agents" className={buttonClass()}>
            Cancel
          </Link>
          <Button type="submit" kind="primary" isBusy={create.isPending} disabled={!isWhole}>
            Make the agent
          </Button>
        </div>
      </form>
    </Page>
  );
}
