import type { AgentVersionDetails } from '@roost-ai/sdk';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { AgentPage } from '../agents/agent-page.js';
import { agentQuery } from '../agents/agents.js';
import { BackLink } from '../components/back-link.js';
import { Facts } from '../components/facts.js';
import { ErrorNote, Skeletons } from '../components/feedback.js';
import { Field, inputClass } from '../components/field.js';
import { Section } from '../components/page.js';
import { Time } from '../components/time.js';
import { visibleText } from '../components/visible-text.js';
import { NamedId } from '../names/named-id.js';
import { useNames } from '../names/use-names.js';
import { FieldChanges } from './field-changes.js';
import { RollBack } from './roll-back.js';
import { TryInChat } from './try-in-chat.js';
import { versionNumber } from './version-number.js';
import { diffQuery, versionQuery } from './versions.js';

const route = getRouteApi('/app/agents/$agentId/versions/$version');

/** One version: what differs from another one, and the way back to it. */
export function VersionPage() {
  const { agentId, version: text } = route.useParams();
  const version = versionNumber(text) ?? 0;
  const { data: agent } = useQuery(agentQuery(agentId));
  const nameOf = useNames();
  const { data, error, refetch } = useQuery(versionQuery(agentId, version));
  const isDraft = data?.is_draft === true;
  return (
    <AgentPage
      title={`${isDraft ? 'Draft' : 'Version'} ${text}`}
      back={
        <BackLink to="/agents/$agentId/versions" params={{ agentId }}>
          Versions
        </BackLink>
      }
      actions={
        data &&
        agent &&
        !data.is_current && (
          <>
            <TryInChat agentId={agentId} version={version} />
            <RollBack agentId={agentId} version={version} isDraft={isDraft} present={agent.version} />
          </>
        )
      }
    >
      {error && !data && (
        <ErrorNote error={error} title="This version cannot be shown" onRetry={() => void refetch()} />
      )}
      {!data && !error && <Skeletons count={2} className="h-40" />}
      {data && (
        <div className="space-y-5">
          <Section title="About it">
            <Facts
              facts={{
                Made: <Time at={data.created_at} />,
                By: data.created_by && (
                  <>
                    {data.created_by.type.replace('_', ' ')} <NamedId id={data.created_by.id} nameOf={nameOf} />
                  </>
                ),
                Note: data.note && visibleText(data.note),
                State: stateOf(data),
              }}
            />
          </Section>
          {agent && <Comparison agentId={agentId} version={version} isDraft={isDraft} present={agent.version} />}
        </div>
      )}
    </AgentPage>
  );
}

function stateOf({ is_current: isCurrent, is_draft: isDraft }: AgentVersionDetails): string {
  if (isDraft) return 'A draft: it answers the messages that ask for it, and no other';
  return isCurrent ? 'The present one: what the agent has now' : 'An earlier one';
}

interface ComparisonProps {
  agentId: string;
  version: number;
  isDraft: boolean;
  present: number;
}

/** With the version before it; of a draft, with the present one: what would change if it were published. */
function Comparison({ agentId, version, isDraft, present }: ComparisonProps) {
  const { with: asked } = route.useSearch();
  const navigate = route.useNavigate();
  const other = asked ?? (isDraft || version === 1 ? present : undefined);
  const isLater = isDraft || other === undefined || other < version;
  const query = isLater ? diffQuery(agentId, other, version) : diffQuery(agentId, version, other);
  const { data, error, refetch } = useQuery(query);
  const { from, to, changes } = data ?? {};
  const [wasPresent, isPresent] = [
    from === present ? ', the present one,' : '',
    to === present ? ', the present one' : '',
  ];
  return (
    <Section
      title="What differs"
      about={from === to ? undefined : `From version ${from}${wasPresent} to version ${to}${isPresent}.`}
      actions={
        <Field label="Compare with version">
          {(ids) => (
            <input
              {...ids}
              type="number"
              min={1}
              value={other ?? (isLater ? from : to) ?? ''}
              onChange={({ target }) =>
                target.value && void navigate({ search: { with: target.valueAsNumber }, replace: true })
              }
              className={`${inputClass} max-w-32`}
            />
          )}
        </Field>
      }
    >
      {error && !changes && <ErrorNote error={error} title="They cannot be compared" onRetry={() => void refetch()} />}
      {!changes && !error && <Skeletons count={2} className="h-24" />}
      {changes?.length === 0 && <p className="text-soft">Nothing differs.</p>}
      {changes && changes.length > 0 && <FieldChanges changes={changes} />}
    </Section>
  );
}
