import type { NewAgent } from '@roost-ai/sdk';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { roost } from '../api/roost.js';
import { Button, buttonClass } from '../components/button.js';
import { ErrorNote } from '../components/feedback.js';
import { Icon } from '../components/icon.js';
import { Page } from '../components/page.js';
import { errorsByField } from '../schema-form/errors-by-field.js';
import { type AgentDraft, AgentForm } from './agent-form.js';
import { agentsKey } from './agents.js';
import { TEMPLATES } from './templates.js';

const route = getRouteApi('/app/agents/new');

export function NewAgentPage() {
  const { template: wanted } = route.useSearch();
  const navigate = route.useNavigate();
  const client = useQueryClient();
  const chosen = TEMPLATES.find(({ id }) => id === wanted) ?? TEMPLATES[0];
  const [draft, setDraft] = useState<AgentDraft | undefined>();
  const agent = draft ?? (chosen?.agent as AgentDraft);
  const [isWhole, setWhole] = useState(true);
  const create = useMutation({
    mutationFn: () => roost.agents.create(agent as NewAgent),
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
      <ul className="grid gap-2 pb-6 sm:grid-cols-2 xl:grid-cols-4">
        {TEMPLATES.map(({ id, title, about, icon }) => (
          <li key={id}>
            <Link
              to="/agents/new"
              search={{ template: id }}
              replace
              onClick={() => setDraft(undefined)}
              aria-current={chosen?.id === id ? 'true' : undefined}
              activeProps={{ 'aria-current': chosen?.id === id ? 'true' : undefined }}
              className="flex h-full gap-3 rounded-xl border border-line bg-surface p-3 hover:border-accent aria-[current=true]:border-accent aria-[current=true]:bg-accent-soft"
            >
              <Icon name={icon} className="mt-1 text-accent" />
              <span>
                <span className="block font-medium">{title}</span>
                <span className="block text-sm text-soft">{about}</span>
              </span>
            </Link>
          </li>
        ))}
      </ul>
      <form onSubmit={onSubmit} className="max-w-3xl space-y-5">
        <AgentForm
          key={chosen?.id}
          path="/v1/agent/create"
          draft={agent}
          errors={errorsByField(create.error)}
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
