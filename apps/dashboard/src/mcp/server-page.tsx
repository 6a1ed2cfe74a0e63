import type { McpServer } from '@roost-ai/sdk';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { AgentPage } from '../agents/agent-page.js';
import { roost } from '../api/roost.js';
import { BackLink } from '../components/back-link.js';
import { Button } from '../components/button.js';
import { ErrorNote, Skeletons } from '../components/feedback.js';
import { Section } from '../components/page.js';
import { toast, toastError } from '../components/toasts.js';
import { visibleText } from '../components/visible-text.js';
import { beginAuthorization } from './authorization.js';
import { Health } from './health.js';
import { serverQuery, serversKey } from './mcp.js';
import { McpBadge, whereOf } from './mcp-status.js';
import { ServerMenu } from './server-menu.js';
import { Tools } from './tools.js';

const route = getRouteApi('/app/agents/$agentId/mcp/$serverId');

/** One server: how it is, and which of its tools the agent may use. */
export function McpServerPage() {
  const { agentId, serverId } = route.useParams();
  const { data: server, error, refetch } = useQuery(serverQuery(serverId));
  return (
    <AgentPage
      title={server?.name ?? 'MCP server'}
      about={
        server && (
          <>
            <span className="font-mono text-xs wrap-anywhere">{visibleText(whereOf(server))}</span>{' '}
            <McpBadge status={server.status} />
          </>
        )
      }
      back={
        <BackLink to="/agents/$agentId/mcp" params={{ agentId }}>
          MCP servers
        </BackLink>
      }
      actions={server && <Actions agentId={agentId} server={server} />}
    >
      {error && !server && (
        <ErrorNote error={error} title="This server cannot be shown" onRetry={() => void refetch()} />
      )}
      {!server && !error && <Skeletons count={2} className="h-48" />}
      {server && (
        <div className="space-y-5">
          <Health server={server} />
          <Section title="Tools" about={<>The agent calls them {server.name}__…</>}>
            <Tools agentId={agentId} server={server} />
          </Section>
        </div>
      )}
    </AgentPage>
  );
}

function Actions({ agentId, server }: { agentId: string; server: McpServer }) {
  const client = useQueryClient();
  const refresh = useMutation({
    mutationFn: () => roost.mcp.refreshTools(server.id),
    onSuccess: ({ tools }) => toast(tools.length === 1 ? 'It has 1 tool.' : `It has ${tools.length} tools.`),
    onError: toastError,
    onSettled: () => client.invalidateQueries({ queryKey: serversKey }),
  });
  const authorize = useMutation({
    mutationFn: () => beginAuthorization(agentId, server.id),
    onError: toastError,
  });
  return (
    <>
      {server.url !== null && (
        <Button icon="refresh-cw" isBusy={refresh.isPending} onClick={() => refresh.mutate()}>
          Ask for its tools
        </Button>
      )}
      {server.status === 'needs_authorization' && (
        <Button kind="primary" icon="key" isBusy={authorize.isPending} onClick={() => authorize.mutate()}>
          Authorise
        </Button>
      )}
      <ServerMenu agentId={agentId} server={server} />
    </>
  );
}
