import type { McpServer } from '@roost-ai/sdk';
import { useQuery } from '@tanstack/react-query';
import { durationText } from '../components/amounts.js';
import { Button } from '../components/button.js';
import { CodeBlock } from '../components/code.js';
import { Facts } from '../components/facts.js';
import { ErrorNote } from '../components/feedback.js';
import { Section } from '../components/page.js';
import { Time } from '../components/time.js';
import { visibleText } from '../components/visible-text.js';
import { healthQuery } from './mcp.js';

/** How a server is now, with the reason where it is not well. */
export function Health({ server }: { server: McpServer }) {
  const { data: health, error, isFetching, refetch } = useQuery(healthQuery(server.id));
  const { status, status_reason: reason } = health ?? server;
  return (
    <Section
      title="Health"
      about={server.url === null && 'It runs in workspaces: this is what the last turn found that used it.'}
      actions={
        <Button kind="quiet" icon="refresh-cw" isBusy={isFetching} onClick={() => void refetch()}>
          Check
        </Button>
      }
    >
      <div className="space-y-4">
        {error && <ErrorNote error={error} title="It cannot be asked" />}
        {reason && status !== 'connected' && (
          <p className="text-sm wrap-anywhere text-bad first-letter:uppercase">{visibleText(reason)}</p>
        )}
        <Facts
          facts={{
            Checked: health?.checked_at ? <Time at={health.checked_at} /> : isFetching ? 'Being asked' : 'Never',
            'Answered in': typeof health?.latency_ms === 'number' && durationText(health.latency_ms),
            Transport: server.transport,
            Headers: server.header_names.join(', '),
            Environment: server.env_names.join(', '),
            Access: server.is_authorized && 'Authorised by OAuth',
          }}
        />
        {health?.stderr_tail && (
          <CodeBlock label="The last lines that it wrote to its stderr" text={visibleText(health.stderr_tail)} />
        )}
      </div>
    </Section>
  );
}
