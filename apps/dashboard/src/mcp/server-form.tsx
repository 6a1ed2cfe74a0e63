import type { Api } from '@roost-ai/sdk';
import { SelectField, TextArea, TextField } from '../components/field.js';
import { Section } from '../components/page.js';
import { type Pair, PairsField } from '../components/pairs-field.js';
import { Segmented } from '../components/segmented.js';

export interface ServerDraft {
  kind: 'url' | 'command';
  name: string;
  url: string;
  transport: '' | 'http' | 'sse';
  headers: Pair[];
  command: string;
  args: string;
  env: Pair[];
}

export const EMPTY_SERVER: ServerDraft = {
  ...{ kind: 'url', name: '', url: '', transport: '', headers: [] },
  ...{ command: '', args: '', env: [] },
};

interface ServerFormProps {
  draft: ServerDraft;
  onChange: (draft: ServerDraft) => void;
  errors: Record<string, string>;
}

/** Where a server is, and what it is given. */
export function ServerForm({ draft, onChange, errors }: ServerFormProps) {
  const set = (change: Partial<ServerDraft>) => onChange({ ...draft, ...change });
  return (
    <Section title="The server">
      <div className="space-y-4">
        <TextField
          label="Name"
          required
          maxLength={64}
          pattern="[A-Za-z0-9_\-]+"
          hint="Letters, digits, _ and -. The agent sees its tools as name__tool."
          placeholder="calendar"
          value={draft.name}
          onChange={({ target }) => set({ name: target.value })}
          error={errors['name']}
        />
        <Segmented
          label="Where it runs"
          options={[
            { value: 'url', label: 'At a URL' },
            { value: 'command', label: 'In the workspace' },
          ]}
          value={draft.kind}
          onChange={(kind) => set({ kind })}
        />
        {draft.kind === 'url' ? (
          <>
            <TextField
              label="URL"
              type="url"
              required
              placeholder="https://example.org/mcp"
              value={draft.url}
              onChange={({ target }) => set({ url: target.value })}
              error={errors['url']}
              className="font-mono"
            />
            <SelectField
              label="Transport"
              value={draft.transport}
              onChange={({ target }) => set({ transport: target.value as ServerDraft['transport'] })}
            >
              <option value="">Found out by itself</option>
              <option value="http">Streamable HTTP</option>
              <option value="sse">HTTP with SSE (older)</option>
            </SelectField>
            <PairsField
              label="Headers"
              hint="Such as Authorization. They are sealed, and never shown again. A server with OAuth needs none."
              pairs={draft.headers}
              onChange={(headers) => set({ headers })}
              error={errors['headers']}
            />
          </>
        ) : (
          <>
            <TextField
              label="Command"
              required
              hint="A program that is there in the workspace, or a file under /workspace."
              placeholder="mcp-server-filesystem"
              value={draft.command}
              onChange={({ target }) => set({ command: target.value })}
              error={errors['command']}
              className="font-mono"
            />
            <TextArea
              label="Arguments"
              hint="One a line."
              rows={3}
              placeholder="/workspace"
              value={draft.args}
              onChange={({ target }) => set({ args: target.value })}
              error={errors['args']}
              className="font-mono"
            />
            <PairsField
              label="Environment"
              hint="Sealed, and never shown again; but the agent can read it."
              pairs={draft.env}
              onChange={(env) => set({ env })}
              error={errors['env']}
            />
          </>
        )}
      </div>
    </Section>
  );
}

/** As the API takes it: what belongs to the other kind is left out. */
export function serverOf(draft: ServerDraft): Api.NewMcpServer {
  const { kind, name, url, transport, command } = draft;
  if (kind === 'url') return { name, url, headers: recordOf(draft.headers), ...(transport ? { transport } : {}) };
  const args = draft.args.split('\n').filter((line) => line !== '');
  return { name, command, args, env: recordOf(draft.env) };
}

const recordOf = (pairs: Pair[]): Record<string, string> =>
  Object.fromEntries(pairs.filter(({ name }) => name !== '').map(({ name, value }) => [name, value]));
