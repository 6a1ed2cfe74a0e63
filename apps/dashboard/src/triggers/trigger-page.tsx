import type { Trigger } from '@roost-ai/sdk';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { useState } from 'react';
import { AgentPage } from '../agents/agent-page.js';
import { roost } from '../api/roost.js';
import { Executions } from '../automation/executions.js';
import { BackLink } from '../components/back-link.js';
import { Button, buttonClass } from '../components/button.js';
import { CodeBlock, CodeLine } from '../components/code.js';
import { Badge, ErrorNote, Skeletons } from '../components/feedback.js';
import { Icon } from '../components/icon.js';
import { Section } from '../components/page.js';
import { visibleText } from '../components/visible-text.js';
import { ExampleRequest } from './example-request.js';
import { TestDialog } from './test-dialog.js';
import { TriggerMenu } from './trigger-menu.js';
import { triggerKey, triggerQuery, useTriggerToggle } from './triggers.js';

const route = getRouteApi('/app/agents/$agentId/triggers/$triggerId');

/** One trigger: how it is called, what it asks, and what became of each request. */
export function TriggerPage() {
  const { agentId, triggerId } = route.useParams();
  const { data: trigger, error, refetch } = useQuery(triggerQuery(agentId, triggerId));
  return (
    <AgentPage
      title={trigger ? visibleText(trigger.name) : 'Trigger'}
      about={trigger && !trigger.enabled && <Badge tone="warn">Disabled: requests are answered by 409</Badge>}
      back={
        <BackLink to="/agents/$agentId/triggers" params={{ agentId }}>
          Triggers
        </BackLink>
      }
      actions={trigger && <Actions agentId={agentId} trigger={trigger} />}
    >
      {error && !trigger && (
        <ErrorNote error={error} title="This trigger cannot be shown" onRetry={() => void refetch()} />
      )}
      {!trigger && !error && <Skeletons count={3} className="h-48" />}
      {trigger && <Details agentId={agentId} trigger={trigger} />}
    </AgentPage>
  );
}

function Actions({ agentId, trigger }: { agentId: string; trigger: Trigger }) {
  const toggle = useTriggerToggle(agentId);
  const [isTesting, setTesting] = useState(false);
  return (
    <>
      <Button
        icon={trigger.enabled ? 'pause' : 'play'}
        onClick={() => toggle.mutate({ trigger, enabled: !trigger.enabled })}
      >
        {trigger.enabled ? 'Disable' : 'Enable'}
      </Button>
      <Button kind="primary" icon="send" onClick={() => setTesting(true)}>
        Send a test
      </Button>
      <TriggerMenu agentId={agentId} trigger={trigger} />
      <TestDialog agentId={agentId} trigger={trigger} isOpen={isTesting} onClose={() => setTesting(false)} />
    </>
  );
}

function Details({ agentId, trigger }: { agentId: string; trigger: Trigger }) {
  const { status } = route.useSearch();
  const navigate = route.useNavigate();
  const { id, webhook_url: url, message_template: template } = trigger;
  return (
    <div className="space-y-5">
      <Section title="URL" about={isOfThisMachine(url) && 'Other machines reach it once PUBLIC_URL names this Roost.'}>
        <CodeLine code={url} label="URL" />
      </Section>
      <Section
        title="What the agent is asked"
        actions={
          <Link
            to="/agents/$agentId/chat"
            params={{ agentId }}
            search={{ conversation: `trigger:${id}` }}
            className={buttonClass('quiet')}
          >
            <Icon name="message-square" />
            Conversation
          </Link>
        }
      >
        <CodeBlock label="Message" text={visibleText(template)} />
      </Section>
      <Section title="Last requests" about="Each one that was taken, and what became of it. Kept for 30 days.">
        <Executions
          agentId={agentId}
          queryKey={triggerKey(agentId, id)}
          list={(only, signal) =>
            roost.agent(agentId).triggers.executions(id, only ? { status: only } : {}, { signal })
          }
          status={status}
          onStatus={(next) => void navigate({ search: next ? { status: next } : {}, replace: true })}
          empty="Nothing was posted yet. Send a test to see what the agent makes of it."
        />
      </Section>
      <Section title="Example request" about="With the secret as $SECRET: it was shown when the trigger was made.">
        <ExampleRequest url={url} />
      </Section>
    </div>
  );
}

const isOfThisMachine = (url: string) => /^https?:\/\/(localhost|127\.|\[::1\])/.test(url);
