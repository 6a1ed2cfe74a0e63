import type { Platform } from '@roost-ai/sdk';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { AgentPage } from '../agents/agent-page.js';
import { agentQuery } from '../agents/agents.js';
import { ErrorNote, SameBy, Skeletons } from '../components/feedback.js';
import { channelsQuery } from './channels.js';
import { PlatformCard } from './platform-card.js';

const route = getRouteApi('/app/agents/$agentId/channels');

export function ChannelsPage() {
  const { agentId } = route.useParams();
  const { link } = route.useSearch();
  const navigate = route.useNavigate();
  const { data: agent } = useQuery(agentQuery(agentId));
  const { data: channels, error, refetch } = useQuery(channelsQuery(agentId));
  return (
    <AgentPage title="Channels" about="Where people talk to the agent: a bot of yours, and who is linked with it.">
      {error && !channels && (
        <ErrorNote error={error} title="The channels cannot be listed" onRetry={() => void refetch()} />
      )}
      {!channels && !error && <Skeletons count={3} className="h-36" />}
      {channels && (
        <div className="max-w-3xl space-y-5">
          {channels.map((channel) => {
            const platform = channel.type as Platform;
            return (
              <PlatformCard
                key={platform}
                agentId={agentId}
                platform={platform}
                channel={channel}
                isLinking={link === platform}
                onLinking={(isLinking) => void navigate({ search: isLinking ? { link: platform } : {}, replace: true })}
              />
            );
          })}
          <div>
            <h3 className="font-semibold">A code for a person</h3>
            <SameBy means="SDK" code={`const { code } = await roost.agent('${agentId}').channels.link('telegram');`} />
            <SameBy means="CLI" code={`roost channels link ${JSON.stringify(agent?.name ?? agentId)} telegram`} />
          </div>
        </div>
      )}
    </AgentPage>
  );
}
