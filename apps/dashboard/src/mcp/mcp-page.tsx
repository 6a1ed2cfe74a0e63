import type { AgentDetails, McpServer } from '@roost-ai/sdk';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { useRef } from 'react';
import { AgentPage } from '../agents/agent-page.js';
import { agentQuery } from '../agents/agents.js';
import { buttonClass } from '../components/button.js';
import { Empty, ErrorNote, Skeletons } from '../components/feedback.js';
import { Toggle } from '../components/field.js';
import { Icon } from '../components/icon.js';
import { Section } from '../components/page.js';
import { useListKeys } from '../components/use-list-keys.js';
import { visibleText } from '../components/visible-text.js';
import { serversQuery, useAccess } from './mcp.js';
import { McpBadge, whereOf } from './mcp-status.js';

const route = getRouteApi('/app/agents/$agentId/mcp');

export function McpPage() {
  const { agentId } = route.useParams();
  const { data: agent } = useQuery(agentQuery(agentId));
  const { data: servers, error, refetch } = useQuery(serversQuery);
  const list = useRef<HTMLUListElement>(null);
  useListKeys(list);
  return (
    <AgentPage
      title="MCP servers"
      about="Tools from elsewhere. A server is added once for the account; here you choose which ones this agent may use."
      actions={servers && servers.length > 0 && <AddLink agentId={agentId} />}
    >
      {error && !servers && (
        <ErrorNote error={error} title="The servers cannot be listed" onRetry={() => void refetch()} />
      )}
      {!servers && !error && <Skeletons count={3} className="h-[4.5rem]" />}
      {servers?.length === 0 && <NoServers agentId={agentId} />}
      {servers && servers.length > 0 && (
        <ul
          ref={list}
          aria-label="MCP servers"
          className="divide-y divide-line rounded-2xl border border-line bg-surface"
        >
          {servers.map((server) => (
            <Row key={server.id} agentId={agentId} agent={agent} server={server} />
          ))}
        </ul>
      )}
      <OwnServers agent={agent} />
    </AgentPage>
  );
}

const AddLink = ({ agentId }: { agentId: string }) => (
  <Link to="/agents/$agentId/mcp/new" params={{ agentId }} className={buttonClass('primary')}>
    <Icon name="plus" />
    Add a server
  </Link>
);

interface RowProps {
  agentId: string;
  agent: AgentDetails | undefined;
  server: McpServer;
}

function Row({ agentId, agent, server }: RowProps) {
  const { id, name, status } = server;
  const access = useAccess(agentId);
  const granted = agent?.mcp_servers.find((each) => each.id === id);
  // What was just chosen is shown before it is confirmed.
  const isOn = access.isPending ? access.variables.tools !== null : granted !== undefined;
  return (
    <li className="relative flex items-center gap-3 py-3 pr-4 pl-4 first:rounded-t-2xl last:rounded-b-2xl hover:bg-canvas sm:gap-4 sm:pl-5">
      <div className="min-w-0 grow">
        <div className="flex items-center gap-2.5">
          {/* The whole row leads there. */}
          <Link
            to="/agents/$agentId/mcp/$serverId"
            params={{ agentId, serverId: id }}
            data-row
            className="truncate font-medium after:absolute after:inset-0"
          >
            {name}
          </Link>
          <McpBadge status={status} />
        </div>
        <p className="truncate font-mono text-xs text-soft">{visibleText(whereOf(server))}</p>
      </div>
      <p className="hidden shrink-0 text-sm text-soft sm:block">
        {toolsOf(server)}
        {granted?.access_mode === 'selected' && ', some of them'}
      </p>
      <div className="relative">
        <Toggle
          label={`This agent may use ${name}`}
          isOn={isOn}
          disabled={access.isPending || !agent}
          onChange={(next) => access.mutate({ server, tools: next ? 'all' : null })}
        />
      </div>
    </li>
  );
}

function toolsOf({ tools, tools_refreshed_at: at }: McpServer): string {
  if (at === null) return 'tools not known yet';
  return tools.length === 1 ? '1 tool' : `${tools.length} tools`;
}

/** Those of the agent's own configuration, where they are changed, too. */
function OwnServers({ agent }: { agent: AgentDetails | undefined }) {
  const own = Object.entries(agent?.configuration.mcp_servers ?? {});
  if (own.length === 0) return null;
  return (
    <div className="pt-6">
      <Section title="Of this agent alone" about="They stand in its configuration, and are changed there.">
        <ul className="space-y-2 text-sm">
          {own.map(([name, server]) => (
            <li key={name} className="flex flex-wrap items-baseline gap-x-3">
              <span className="font-medium">{visibleText(name)}</span>
              <code className="font-mono text-xs wrap-anywhere text-soft">
                {visibleText('url' in server ? server.url : [server.command, ...(server.args ?? [])].join(' '))}
              </code>
            </li>
          ))}
        </ul>
      </Section>
    </div>
  );
}

function NoServers({ agentId }: { agentId: string }) {
  return (
    <Empty
      icon="plug"
      title="Give it tools from elsewhere"
      action={<AddLink agentId={agentId} />}
      code={`const { id } = await roost.mcp.create({ name: 'calendar', url: 'https://example.org/mcp' });\nawait roost.mcp.grant(id, { agent_id: '${agentId}' });`}
    >
      An MCP server offers tools: a calendar, a database, an issue tracker. It is one that you call by its URL, or a
      program in the agent’s workspace.
    </Empty>
  );
}
