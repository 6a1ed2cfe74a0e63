import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { agentQuery } from '../agents/agents.js';
import { BackLink } from '../components/back-link.js';
import { Facts } from '../components/facts.js';
import { ErrorNote, SameBy, Skeletons } from '../components/feedback.js';
import { Page, Section } from '../components/page.js';
import { Time } from '../components/time.js';
import { visibleText } from '../components/visible-text.js';
import { approvalQuery } from './approvals.js';
import { ApprovalBadge, titleOf } from './approval-words.js';
import { ApprovalBody } from './approval-body.js';

const route = getRouteApi('/app/approvals/$approvalId');

/** One call of a tool: what it is exactly, who asks, and the decision. */
export function ApprovalPage() {
  const { approvalId } = route.useParams();
  const { data: approval, error, refetch } = useQuery(approvalQuery(approvalId));
  const { data: agent } = useQuery({ ...agentQuery(approval?.agent_id ?? ''), enabled: approval !== undefined });
  return (
    <Page
      title={approval ? titleOf(approval, agent?.name ?? 'the agent') : 'Approval'}
      tabTitle="Approval"
      back={<BackLink to="/approvals">Approvals</BackLink>}
      about={approval && <ApprovalBadge status={approval.status} />}
    >
      {error && !approval && (
        <ErrorNote error={error} title="This approval cannot be shown" onRetry={() => void refetch()} />
      )}
      {!approval && !error && <Skeletons count={2} className="h-48" />}
      {approval && (
        <div className="max-w-4xl space-y-5">
          <Section
            title={
              approval.kind === 'question'
                ? 'The question'
                : approval.kind === 'credential'
                  ? 'The request'
                  : 'The call'
            }
          >
            <ApprovalBody approval={approval} />
          </Section>
          <Section title="About it">
            <Facts
              facts={{
                Agent: (
                  <Link to="/agents/$agentId" params={{ agentId: approval.agent_id }} className="underline">
                    {visibleText(agent?.name ?? approval.agent_id)}
                  </Link>
                ),
                Run: approval.run_id !== null && (
                  <Link
                    to="/agents/$agentId/runs/$runId"
                    params={{ agentId: approval.agent_id, runId: approval.run_id }}
                    className="underline"
                  >
                    What led to it
                  </Link>
                ),
                Conversation: approval.conversation_id !== null && visibleText(approval.conversation_id),
                Asked: <Time at={approval.created_at} />,
                'Counts as denied': approval.status === 'pending' && <Time at={approval.expires_at} />,
                'Asked by':
                  approval.kind === 'tool' &&
                  (approval.rule === null
                    ? 'the default of its permissions'
                    : `rule ${approval.rule + 1} of its permissions`),
                Grant: approval.grant_id !== null && (
                  <Link to="/agents/$agentId/secrets" params={{ agentId: approval.agent_id }} className="underline">
                    Asks before each request
                  </Link>
                ),
                'Began to run': approval.started_at && <Time at={approval.started_at} />,
                'Shown in': approval.shown.map(({ where }) => visibleText(where)).join(', '),
              }}
            />
          </Section>
          <SameBy means="CLI" code={`roost approvals show ${approval.id}`} />
        </div>
      )}
    </Page>
  );
}
