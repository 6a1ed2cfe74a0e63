import type { Api } from '@roost-ai/sdk';
import { useQuery } from '@tanstack/react-query';
import { agentsQuery } from '../agents/agents.js';
import { CheckField, TextField } from '../components/field.js';
import { Section } from '../components/page.js';
import { visibleText } from '../components/visible-text.js';
import { EVENT_NAMES, WEBHOOK_EVENTS, type WebhookEvent } from './webhook-events.js';

export type EndpointDraft = Required<Pick<Api.NewWebhookEndpoint, 'url' | 'events' | 'description' | 'agent_ids'>>;

interface EndpointFormProps {
  draft: EndpointDraft;
  onChange: (draft: EndpointDraft) => void;
  errors: Record<string, string>;
}

/** Where events go, which ones, and of which agents. */
export function EndpointForm({ draft, onChange, errors }: EndpointFormProps) {
  const set = (change: Partial<EndpointDraft>) => onChange({ ...draft, ...change });
  const isAll = draft.events.includes('*');
  const toggle = (event: WebhookEvent, isOn: boolean) =>
    set({ events: isOn ? [...draft.events, event] : draft.events.filter((each) => each !== event) });
  return (
    <div className="space-y-5">
      <Section title="Where to">
        <div className="space-y-4">
          <TextField
            label="URL"
            type="url"
            required
            placeholder="https://example.org/roost"
            hint="A public https address; npm start on your own machine takes http and localhost, too."
            value={draft.url}
            onChange={({ target }) => set({ url: target.value })}
            error={errors['url']}
            className="font-mono"
          />
          <TextField
            label="Description"
            hint="For you and others: what it is for."
            value={draft.description ?? ''}
            onChange={({ target }) => set({ description: target.value || null })}
            error={errors['description']}
          />
        </div>
      </Section>
      <Section title="Which events">
        <div className="space-y-3">
          <CheckField
            label="All of them"
            hint="Those of later versions, too."
            checked={isAll}
            onChange={({ target }) => set({ events: target.checked ? ['*'] : [] })}
          />
          {!isAll && (
            <div role="group" aria-label="Events" className="grid gap-3 border-t border-line pt-3 sm:grid-cols-2">
              {EVENT_NAMES.map((event) => (
                <CheckField
                  key={event}
                  label={<code className="font-mono">{event}</code>}
                  hint={WEBHOOK_EVENTS[event]}
                  checked={draft.events.includes(event)}
                  onChange={({ target }) => toggle(event, target.checked)}
                />
              ))}
            </div>
          )}
          {errors['events'] && <p className="text-xs font-medium text-bad">{errors['events']}</p>}
        </div>
      </Section>
      <AgentChoice chosen={draft.agent_ids} onChange={(agentIds) => set({ agent_ids: agentIds })} />
    </div>
  );
}

function AgentChoice({ chosen, onChange }: { chosen: string[] | null; onChange: (agentIds: string[] | null) => void }) {
  const { data: agents = [] } = useQuery(agentsQuery);
  return (
    <Section title="Of which agents">
      <div className="space-y-3">
        <CheckField
          label="All of them"
          hint="Those that are made later, too."
          checked={chosen === null}
          onChange={({ target }) => onChange(target.checked ? null : [])}
        />
        {chosen && (
          <div
            role="group"
            aria-label="Agents"
            className="grid max-h-64 gap-3 overflow-y-auto border-t border-line pt-3 sm:grid-cols-2"
          >
            {agents.map(({ id, name }) => (
              <CheckField
                key={id}
                label={visibleText(name)}
                checked={chosen.includes(id)}
                onChange={({ target }) =>
                  onChange(target.checked ? [...chosen, id] : chosen.filter((each) => each !== id))
                }
              />
            ))}
          </div>
        )}
      </div>
    </Section>
  );
}
