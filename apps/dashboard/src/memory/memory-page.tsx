import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { AgentPage } from '../agents/agent-page.js';
import { agentQuery } from '../agents/agents.js';
import { Skeletons } from '../components/feedback.js';
import { MemoryFiles } from './memory-files.js';
import { SessionList } from './session-list.js';

const route = getRouteApi('/app/agents/$agentId/memory');

/** What the agent keeps in mind: by its own notes, and by what was said in each conversation. */
export function MemoryPage() {
  const { agentId } = route.useParams();
  const { path } = route.useSearch();
  const { data: agent } = useQuery(agentQuery(agentId));
  return (
    <AgentPage
      title="Memory and sessions"
      about="Its memory is files that it reads and writes by itself. A session is what was said and done in a conversation, as far as the model still sees it."
    >
      {agent ? (
        <div className="space-y-5">
          <SessionList agent={agent} />
          <MemoryFiles agent={agent} path={path} />
        </div>
      ) : (
        <Skeletons count={2} className="h-64" />
      )}
    </AgentPage>
  );
}
