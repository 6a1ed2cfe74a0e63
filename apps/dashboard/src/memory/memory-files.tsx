import type { AgentDetails } from '@roost-ai/sdk';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { roost } from '../api/roost.js';
import { bytesText } from '../components/amounts.js';
import { Button, buttonClass } from '../components/button.js';
import { Badge, ErrorNote, SameBy, Skeletons } from '../components/feedback.js';
import { Icon } from '../components/icon.js';
import { Section } from '../components/page.js';
import { Time } from '../components/time.js';
import { toastError } from '../components/toasts.js';
import { visibleText } from '../components/visible-text.js';
import { filesKey } from '../files/file-content.js';
import { kindOfMemory, mainFile, memoryQuery } from './memory.js';
import { MemoryText } from './memory-text.js';

interface MemoryFilesProps {
  agent: AgentDetails;
  /** The file that is shown. */
  path: string | undefined;
}

/** What the agent has written down for itself, to be read and changed. */
export function MemoryFiles({ agent, path }: MemoryFilesProps) {
  const agentId = agent.id;
  const kind = kindOfMemory(agent);
  const main = mainFile(kind);
  const { data: files, error, refetch } = useQuery(memoryQuery(agentId, kind));
  const client = useQueryClient();
  const navigate = useNavigate();
  const begin = useMutation({
    mutationFn: () => roost.agent(agentId).files.write(main, '', { overwrite: false }),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: filesKey(agentId) });
      await navigate({ to: '/agents/$agentId/memory', params: { agentId }, search: { path: main } });
    },
    onError: toastError,
  });
  const { persistence = 'persistent' } = agent.configuration.memory_config ?? {};
  return (
    <Section
      title="Memory"
      about={
        <>
          {kind === 'flat' ? 'One file, all of it' : 'A file for each topic, the index'} always in context
          {persistence === 'ephemeral' ? '; wiped when a session ends' : ''}.
        </>
      }
    >
      {error && !files && <ErrorNote error={error} title="The memory cannot be read" onRetry={() => void refetch()} />}
      {!files && !error && <Skeletons count={2} className="h-11" />}
      {files?.length === 0 && (
        <div className="space-y-3">
          <p className="text-soft">
            It has written nothing down yet. It does when something is worth remembering, or begin for it.
          </p>
          <Button icon="file-plus" isBusy={begin.isPending} onClick={() => begin.mutate()}>
            Begin {main}
          </Button>
          <SameBy
            means="SDK"
            code={`await roost.agent('${agentId}').files.write('${main}', 'The team meets on Tuesdays.\\n');`}
          />
        </div>
      )}
      {files && files.length > 0 && (
        <ul aria-label="Files of the memory" className="max-h-80 divide-y divide-line overflow-y-auto">
          {files.map((file) => (
            <li key={file.path}>
              <Link
                to="/agents/$agentId/memory"
                params={{ agentId }}
                search={{ path: file.path }}
                className="flex min-h-11 flex-wrap items-center gap-x-3 rounded-lg px-2 text-sm hover:bg-sunken aria-[current=page]:bg-accent-soft"
              >
                <span className="min-w-0 grow truncate font-mono">{visibleText(file.path)}</span>
                {file.path === main && <Badge>In context</Badge>}
                <span className="text-xs text-faint">
                  {bytesText(file.size)} · <Time at={file.changedAt} />
                </span>
              </Link>
            </li>
          ))}
        </ul>
      )}
      {path !== undefined && (
        <div className="mt-4 h-112 overflow-hidden rounded-xl border border-line-strong">
          <MemoryText
            key={path}
            agentId={agentId}
            path={path}
            menu={
              <Link to="/agents/$agentId/files" params={{ agentId }} search={{ path }} className={buttonClass('quiet')}>
                <Icon name="folder-open" />
                <span className="max-sm:sr-only">In the files</span>
              </Link>
            }
          />
        </div>
      )}
    </Section>
  );
}
