import { useMutation, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { useEffect, useRef, useState } from 'react';
import { roost } from '../api/roost.js';
import { buttonClass } from '../components/button.js';
import { ErrorNote, Skeletons } from '../components/feedback.js';
import { Page } from '../components/page.js';
import { toast } from '../components/toasts.js';
import { takeAuthorization } from './authorization.js';
import { serversKey } from './mcp.js';

const route = getRouteApi('/app/mcp/callback');

/** Where an authorization server sends the browser back to. */
export function McpCallbackPage() {
  const { code, state, error } = route.useSearch();
  const navigate = useNavigate();
  const client = useQueryClient();
  const isTaken = useRef(false);
  const [refused, setRefused] = useState<Error>();
  const finish = useMutation({
    mutationFn: (given: { serverId: string; code: string; state: string }) =>
      roost.mcp.finishAuthorization(given.serverId, { code: given.code, state: given.state }),
    onError: setRefused,
  });
  useEffect(() => {
    if (isTaken.current) return;
    isTaken.current = true;
    const begun = takeAuthorization(state);
    if (!begun || code === undefined || state === undefined) {
      setRefused(new Error(error ?? 'This was not begun in this tab, or it was answered already: begin again.'));
      return;
    }
    const { agentId, serverId } = begun;
    finish.mutate(
      { serverId, code, state },
      {
        onSuccess: ({ name }) => {
          toast(`${name} can be used.`);
          void client.invalidateQueries({ queryKey: serversKey });
          void navigate({ to: '/agents/$agentId/mcp/$serverId', params: { agentId, serverId }, replace: true });
        },
      },
    );
  });
  return (
    <Page title="Access to an MCP server">
      {refused ? (
        <div className="space-y-4">
          <ErrorNote title="Access was not granted" error={refused} />
          <Link to="/agents" className={buttonClass()}>
            To the agents
          </Link>
        </div>
      ) : (
        <Skeletons count={2} />
      )}
    </Page>
  );
}
