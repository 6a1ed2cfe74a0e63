import type { NewAgent } from '@roost-ai/sdk';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { useState } from 'react';
import { roost } from '../api/roost.js';
import { CancelLink, EditorActions, EditorForm } from '../components/editor-form.js';
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
  return (
    <Page
      title="New agent"
      about="Begin with a template, and change what you like; everything can be changed later, too."
    >
      <div className="pb-6">
        <TemplateList chosen={chosen?.id} onChoose={() => setDraft(undefined)} />
      </div>
      <EditorForm
        saving={create}
        onSave={create.mutate}
        isChanged={(draft !== undefined || Object.keys(keys).length > 0) && !create.isSuccess}
        what="the agent"
        className="max-w-3xl space-y-5"
      >
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
        <EditorActions
          saving={create}
          what="the agent"
          cancel={<CancelLink to="/agents" />}
          action="Make the agent"
          disabled={!isWhole}
        />
      </EditorForm>
    </Page>
  );
}
