import type { McpServer } from '@roost-ai/sdk';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { AgentPage } from '../agents/agent-page.js';
import { agentKey } from '../agents/agents.js';
import { roost } from '../api/roost.js';
import { BackLink } from '../components/back-link.js';
import { CancelLink, EditorActions, EditorForm } from '../components/editor-form.js';
import { ErrorNote, Skeletons } from '../components/feedback.js';
import { toast } from '../components/toasts.js';
import { errorsByField } from '../schema-form/errors-by-field.js';
import { serverQuery, serversKey } from './mcp.js';
import { EMPTY_SERVER, type ServerDraft, ServerForm, serverOf } from './server-form.js';

const newRoute = getRouteApi('/app/agents/$agentId/mcp/new');
const editRoute = getRouteApi('/app/agents/$agentId/mcp/$serverId/edit');

export function NewServerPage() {
  const { agentId } = newRoute.useParams();
  const save = async (draft: ServerDraft) => {
    const server = await roost.mcp.create(serverOf(draft));
    // Whoever adds it here wants it for this agent.
    await roost.mcp.grant(server.id, { agent_id: agentId });
    // Of one that cannot be used yet the answer says why, as its page does.
    return server.url === null ? server : roost.mcp.refreshTools(server.id);
  };
  return (
    <AgentPage title="Add an MCP server" back={<BackToList agentId={agentId} />}>
      <Editor agentId={agentId} draft={EMPTY_SERVER} save={save} action="Add the server" />
    </AgentPage>
  );
}

export function EditServerPage() {
  const { agentId, serverId } = editRoute.useParams();
  const { data, error, refetch } = useQuery(serverQuery(serverId));
  return (
    <AgentPage
      title="Edit the MCP server"
      about="Headers and environment are never shown: enter their values again, or remove them."
      back={<BackToList agentId={agentId} />}
    >
      {error && !data && <ErrorNote error={error} onRetry={() => void refetch()} />}
      {!data && !error && <Skeletons count={1} className="h-96" />}
      {data && (
        <Editor
          agentId={agentId}
          draft={draftOf(data)}
          save={(draft) => roost.mcp.replace(serverId, serverOf(draft))}
          action="Save"
        />
      )}
    </AgentPage>
  );
}

const BackToList = ({ agentId }: { agentId: string }) => (
  <BackLink to="/agents/$agentId/mcp" params={{ agentId }}>
    MCP servers
  </BackLink>
);

interface EditorProps {
  agentId: string;
  draft: ServerDraft;
  save: (draft: ServerDraft) => Promise<McpServer>;
  action: string;
}

function Editor({ agentId, draft: first, save, action }: EditorProps) {
  const [begun] = useState(first);
  const [draft, setDraft] = useState(begun);
  const client = useQueryClient();
  const navigate = useNavigate();
  const saved = useMutation({
    mutationFn: () => save(draft),
    onSuccess: ({ id, name }) => {
      toast(`${name} is saved.`);
      void navigate({ to: '/agents/$agentId/mcp/$serverId', params: { agentId, serverId: id } });
    },
    onSettled: () => {
      void client.invalidateQueries({ queryKey: serversKey });
      void client.invalidateQueries({ queryKey: agentKey(agentId), exact: true });
    },
  });
  return (
    <EditorForm
      saving={saved}
      onSave={saved.mutate}
      isChanged={draft !== begun && !saved.isSuccess}
      what="the server"
      className="max-w-3xl space-y-5"
    >
      <ServerForm draft={draft} onChange={setDraft} errors={errorsByField(saved.error)} />
      <EditorActions
        saving={saved}
        what="the server"
        cancel={<CancelLink to="/agents/$agentId/mcp" params={{ agentId }} />}
        action={action}
      />
    </EditorForm>
  );
}

const draftOf = (server: McpServer): ServerDraft => ({
  ...EMPTY_SERVER,
  kind: server.url === null ? 'command' : 'url',
  name: server.name,
  url: server.url ?? '',
  transport: server.transport === 'http' || server.transport === 'sse' ? server.transport : '',
  headers: server.header_names.map((name) => ({ name, value: '' })),
  command: server.command ?? '',
  args: server.args.join('\n'),
  env: server.env_names.map((name) => ({ name, value: '' })),
});
