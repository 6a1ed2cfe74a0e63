import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { ErrorNote, Skeletons } from '../components/feedback.js';
import { visibleText } from '../components/visible-text.js';
import { fileQuery } from '../files/file-content.js';
import { FileEditor } from '../files/file-editor.js';
import { FileFrame } from '../files/file-frame.js';

/** One file of the memory, to be changed in place. */
export function MemoryText({ agentId, path, menu }: { agentId: string; path: string; menu: ReactNode }) {
  const { data, error, refetch } = useQuery(fileQuery(agentId, path));
  const name = <h4 className="min-w-0 grow truncate font-mono text-sm">{visibleText(path)}</h4>;
  return (
    <FileFrame title={name} menu={menu}>
      {(toolsIn) =>
        data?.kind === 'text' ? (
          <FileEditor agentId={agentId} path={path} content={data} line={undefined} toolsIn={toolsIn} />
        ) : (
          <div className="space-y-3 p-4">
            {error && !data && (
              <ErrorNote error={error} title="The file cannot be read" onRetry={() => void refetch()} />
            )}
            {!data && !error && <Skeletons count={1} className="h-64" />}
            {data && <p className="text-soft">This is no text that could be edited here.</p>}
          </div>
        )
      }
    </FileFrame>
  );
}
