import type { Trigger } from '@roost-ai/sdk';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { useRef } from 'react';
import { AgentPage } from '../agents/agent-page.js';
import { agentQuery } from '../agents/agents.js';
import { buttonClass } from '../components/button.js';
import { Badge, Empty, ErrorNote, Skeletons } from '../components/feedback.js';
import { Toggle } from '../components/field.js';
import { Icon } from '../components/icon.js';
import { useListKeys } from '../components/use-list-keys.js';
import { visibleText } from '../components/visible-text.js';
import { triggersQuery, useTriggerToggle } from './triggers.js';

const route = getRouteApi('/app/agents/$agentId/triggers');

export function TriggersPage() {
  const { agentId } = route.useParams();
  const { data: triggers, error, refetch } = useQuery(triggersQuery(agentId));
  const list = useRef<HTMLUListElement>(null);
  useListKeys(list);
  return (
    <AgentPage
      title="Triggers"
      about="Addresses for other systems: what they post there becomes a message to the agent."
      actions={triggers && triggers.length > 0 && <NewLink agentId={agentId} />}
    >
      {error && !triggers && (
        <ErrorNote error={error} title="The triggers cannot be listed" onRetry={() => void refetch()} />
      )}
      {!triggers && !error && <Skeletons count={4} className="h-[4.5rem]" />}
      {triggers?.length === 0 && <NoTriggers agentId={agentId} />}
      {triggers && triggers.length > 0 && (
        <ul ref={list} aria-label="Triggers" className="divide-y divide-line rounded-2xl border border-line bg-surface">
          {triggers.map((trigger) => (
            <Row key={trigger.id} agentId={agentId} trigger={trigger} />
          ))}
        </ul>
      )}
    </AgentPage>
  );
}

const NewLink = ({ agentId }: { agentId: string }) => (
  <Link to="/agents/$agentId/triggers/new" params={{ agentId }} className={buttonClass('primary')}>
    <Icon name="plus" />
    New trigger
  </Link>
);

function Row({ agentId, trigger }: { agentId: string; trigger: Trigger }) {
  const { id, name, message_template: template, enabled } = trigger;
  const toggle = useTriggerToggle(agentId);
  return (
    <li className="relative flex items-center gap-3 py-3 pr-4 pl-4 first:rounded-t-2xl last:rounded-b-2xl hover:bg-canvas sm:gap-4 sm:pl-5">
      <div className="min-w-0 grow">
        <div className="flex flex-wrap items-center gap-x-2.5">
          {/* The whole row leads there. */}
          <Link
            to="/agents/$agentId/triggers/$triggerId"
            params={{ agentId, triggerId: id }}
            data-row
            className="line-clamp-2 font-medium wrap-anywhere after:absolute after:inset-0"
          >
            {visibleText(name)}
          </Link>
          {!enabled && <Badge tone="warn">Disabled</Badge>}
        </div>
        <p className="truncate text-sm text-soft">{visibleText(template)}</p>
      </div>
      <div className="relative">
        <Toggle
          label={`${name} takes requests`}
          isOn={enabled}
          onChange={(isOn) => toggle.mutate({ trigger, enabled: isOn })}
        />
      </div>
    </li>
  );
}

function NoTriggers({ agentId }: { agentId: string }) {
  const { data: agent } = useQuery(agentQuery(agentId));
  return (
    <Empty
      icon="zap"
      title="Let other systems wake it"
      action={<NewLink agentId={agentId} />}
      code={`const trigger = await roost.agent('${agentId}').triggers.create({\n  name: 'new issue',\n  message_template: 'A new issue: {{payload.issue.title}}',\n});\nconsole.log(trigger.webhook_url, trigger.webhook_secret);`}
      cli={`roost triggers create ${JSON.stringify(agent?.name ?? agentId)} "new issue" "A new issue: {{payload.issue.title}}"`}
    >
      A trigger is a URL and a secret. GitHub, a form, a monitor, a script: whatever posts there asks the agent to do
      something about it.
    </Empty>
  );
}
