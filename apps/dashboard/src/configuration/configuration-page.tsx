import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { AgentPage } from '../agents/agent-page.js';
import { agentQuery } from '../agents/agents.js';
import { SameBy, Skeletons } from '../components/feedback.js';
import { ConfigurationEditor } from './configuration-editor.js';

const route = getRouteApi('/app/agents/$agentId/configuration');

const LOOK_AGAIN_MS = 10_000;

/** All that is configured of the agent. */
export function ConfigurationPage() {
  const { agentId } = route.useParams();
  // No event says that somebody else has saved it.
  const { data: agent } = useQuery({ ...agentQuery(agentId), refetchInterval: LOOK_AGAIN_MS });
  return (
    <AgentPage
      title="Configuration"
      about={
        agent && (
          <>
            This is version {agent.version}. A change takes effect with the next turn, and{' '}
            <Link to="/agents/$agentId/versions" params={{ agentId }} className="text-accent underline">
              every version
            </Link>{' '}
            can be compared and gone back to.
          </>
        )
      }
    >
      {agent ? <ConfigurationEditor agent={agent} /> : <Skeletons count={2} className="h-96" />}
      <div className="max-w-3xl pt-4">
        <SameBy
          means="SDK"
          code={`const agent = await roost.agent('${agentId}').get();\nawait roost.agent(agent.id).update({ configuration: { timeout_seconds: 600 } }, { ifVersion: agent.version });`}
        />
      </div>
    </AgentPage>
  );
}
