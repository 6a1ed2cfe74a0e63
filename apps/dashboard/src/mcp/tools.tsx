import type { McpServer } from '@roost-ai/sdk';
import { useQuery } from '@tanstack/react-query';
import { ErrorNote, Skeletons } from '../components/feedback.js';
import { CheckField } from '../components/field.js';
import { Icon } from '../components/icon.js';
import { Segmented } from '../components/segmented.js';
import { visibleText } from '../components/visible-text.js';
import { accessQuery, type ToolChoice, useAccess } from './mcp.js';

type Mode = 'all' | 'selected' | 'none';
const MODES: { value: Mode; label: string }[] = [
  { value: 'all', label: 'All tools' },
  { value: 'selected', label: 'Some' },
  { value: 'none', label: 'None' },
];

/** A server's tools, and which of them the agent may use. */
export function Tools({ agentId, server }: { agentId: string; server: McpServer }) {
  const { data, error, refetch } = useQuery(accessQuery(server.id));
  const access = useAccess(agentId);
  if (error && !data) return <ErrorNote error={error} onRetry={() => void refetch()} />;
  if (!data) return <Skeletons count={3} className="h-12" />;
  const granted = data.find(({ agent_id: id }) => id === agentId);
  // What was just chosen is shown before it is confirmed.
  const choice: ToolChoice = access.isPending
    ? access.variables.tools
    : granted
      ? granted.access_mode === 'all'
        ? 'all'
        : granted.tools
      : null;
  const choose = (tools: ToolChoice) => access.mutate({ server, tools });
  const names = server.tools.map(({ name }) => name);
  const isChosen = (name: string) => choice === 'all' || (choice?.includes(name) ?? false);
  const toggle = (name: string, isOn: boolean) => {
    const before = choice === 'all' ? names : (choice ?? []);
    choose(isOn ? [...before, name] : before.filter((each) => each !== name));
  };
  return (
    <div className="space-y-4">
      <Segmented
        label="Which tools the agent may use"
        options={MODES}
        value={choice === null ? 'none' : choice === 'all' ? 'all' : 'selected'}
        onChange={(mode) => choose(mode === 'all' ? 'all' : mode === 'none' ? null : names.filter(isChosen))}
      />
      {server.status === 'connected' && server.status_reason && (
        <p className="flex gap-2 rounded-lg bg-warn-soft px-3 py-2 text-sm wrap-anywhere text-warn">
          <Icon name="triangle-alert" className="mt-0.5" />
          <span>No model takes some of its tools: {visibleText(server.status_reason)}</span>
        </p>
      )}
      {names.length === 0 && (
        <p className="py-4 text-center text-sm text-soft">
          {server.url === null
            ? 'Its tools are known once an agent has used it.'
            : 'Its tools are not known yet: ask for them.'}
        </p>
      )}
      <div role="group" aria-label="Tools" className="divide-y divide-line">
        {server.tools.map(({ name, description }) => (
          <div key={name} className="py-2.5">
            <CheckField
              label={<code className="font-mono">{visibleText(name)}</code>}
              hint={description && visibleText(description)}
              checked={isChosen(name)}
              disabled={access.isPending}
              onChange={({ target }) => toggle(name, target.checked)}
            />
          </div>
        ))}
      </div>
    </div>
  );
}
