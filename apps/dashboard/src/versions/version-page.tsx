import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { AgentPage } from '../agents/agent-page.js';
import { agentQuery } from '../agents/agents.js';
import { roost } from '../api/roost.js';
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
import { diffQuery, versionNumber, versionsKey } from './versions.js';

const route = getRouteApi('/app/agents/$agentId/versions/$version');

/** One version: what differs from another one, and the way back to it. */
export function VersionPage() {
  const { agentId, version: text } = route.useParams();
  const version = versionNumber(text) ?? 0;
  const { data: agent } = useQuery(agentQuery(agentId));
  const nameOf = useNames();
  const { data, error, refetch } = useQuery({
    queryKey: [...versionsKey(agentId), version],
    queryFn: ({ signal }) => roost.agent(agentId).versions.get(version, { signal }),
  });
  return (
    <AgentPage
      title={`Version ${text}`}
      back={
        <BackLink to="/agents/$agentId/versions" params={{ agentId }}>
          Versions
        </BackLink>
      }
      actions={
        data && agent && !data.is_current && <RollBack agentId={agentId} version={version} present={agent.version} />
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
                State: data.is_current ? 'The present one: what the agent has now' : 'An earlier one',
              }}
            />
          </Section>
          {agent && <Comparison agentId={agentId} version={version} present={agent.version} />}
        </div>
      )}
    </AgentPage>
  );
}

function Comparison({ agentId, version, present }: { agentId: string; version: number; present: number }) {
  const { with: asked } = route.useSearch();
  const navigate = route.useNavigate();
  const other = asked ?? (version === 1 ? present : version - 1);
  const [from, to] = other < version ? [other, version] : [version, other];
  const isSame = from === to;
  const { data: changes, error, refetch } = useQuery({ ...diffQuery(agentId, from, to), enabled: !isSame });
  return (
    <Section
      title="What differs"
      about={isSame ? undefined : `From version ${from} to version ${to}${to === present ? ', the present one' : ''}.`}
      actions={
        <Field label="Compare with version">
          {(ids) => (
            <input
              {...ids}
              type="number"
              min={1}
              max={present}
              value={other}
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
      {!changes && !error && !isSame && <Skeletons count={2} className="h-24" />}
      {(isSame || changes?.length === 0) && <p className="text-soft">Nothing differs.</p>}
      {changes && changes.length > 0 && <FieldChanges changes={changes} />}
    </Section>
  );
}
