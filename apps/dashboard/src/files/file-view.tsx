import { NotFoundError } from '@roost-ai/sdk';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { bytesText } from '../components/amounts.js';
import { Button, buttonClass } from '../components/button.js';
import { Empty, ErrorNote, Skeletons } from '../components/feedback.js';
import { Icon } from '../components/icon.js';
import { Menu } from '../components/menu.js';
import { FileEditor } from './file-editor.js';
import { FileFrame } from './file-frame.js';
import { type FileContent, fileQuery } from './file-content.js';
import type { EntryAction } from './tree-line.js';
import { nameOf } from './tree-state.js';
import { visibleText } from '../components/visible-text.js';

interface FileViewProps {
  agentId: string;
  path: string;
  line: number | undefined;
  onAction: (action: EntryAction, path: string, isDirectory: boolean) => void;
}

/** A file: as text that can be changed, as a picture, or to be downloaded. */
export function FileView({ agentId, path, line, onAction }: FileViewProps) {
  const { data, error, refetch } = useQuery(fileQuery(agentId, path));
  const name = visibleText(nameOf(path));
  const title = (
    <>
      <Link to="." search={{}} className={`${buttonClass('quiet')} lg:hidden`}>
        <Icon name="chevron-left" />
        Files
      </Link>
      <h3 className="min-w-0 grow truncate font-mono text-sm" title={visibleText(path)}>
        {visibleText(path)}
      </h3>
    </>
  );
  const menu = (
    <Menu
      label={`More for ${name}`}
      items={[
        { label: 'Download', icon: 'download', onSelect: () => onAction('download', path, false) },
        { label: 'Rename or move …', icon: 'pencil', onSelect: () => onAction('rename', path, false) },
        { label: 'Delete …', icon: 'trash-2', isDangerous: true, onSelect: () => onAction('delete', path, false) },
      ]}
    />
  );
  return (
    <FileFrame title={title} menu={menu}>
      {(toolsIn) =>
        data?.kind === 'text' ? (
          <FileEditor agentId={agentId} path={path} content={data} line={line} toolsIn={toolsIn} />
        ) : (
          <div className="min-h-0 grow overflow-y-auto">
            {!data && !error && (
              <div className="p-4">
                <Skeletons count={1} className="h-64" />
              </div>
            )}
            {!data && error && <NotShown error={error} onRetry={() => void refetch()} />}
            {data?.kind === 'picture' && <Picture blob={data.blob} name={name} />}
            {(data?.kind === 'large' || data?.kind === 'bytes') && (
              <NoText content={data} onDownload={() => onAction('download', path, false)} />
            )}
          </div>
        )
      }
    </FileFrame>
  );
}

function NotShown({ error, onRetry }: { error: unknown; onRetry: () => void }) {
  if (error instanceof NotFoundError)
    return (
      <Empty icon="file" title="There is no such file">
        It was deleted or renamed, perhaps by the agent.
      </Empty>
    );
  return (
    <div className="p-4">
      <ErrorNote error={error} title="The file cannot be read" onRetry={onRetry} />
    </div>
  );
}

function NoText({
  content: { kind, size },
  onDownload,
}: {
  content: FileContent & { kind: 'large' | 'bytes' };
  onDownload: () => void;
}) {
  return (
    <Empty
      icon="file"
      title={kind === 'bytes' ? 'This is no text' : 'Too large to be edited here'}
      action={
        <Button icon="download" onClick={onDownload}>
          Download {size !== undefined && `(${bytesText(size)})`}
        </Button>
      }
    >
      {kind === 'bytes' ? 'Its bytes are not UTF-8.' : 'Files of up to 2 MiB are.'} Download it, and drop the changed
      one into the tree.
    </Empty>
  );
}

function Picture({ blob, name }: { blob: Blob; name: string }) {
  const [url, setUrl] = useState<string>();
  useEffect(() => {
    const made = URL.createObjectURL(blob);
    setUrl(made);
    return () => URL.revokeObjectURL(made);
  }, [blob]);
  return (
    <div className="flex min-h-full items-center justify-center p-4">
      {url && <img src={url} alt={name} className="max-h-full max-w-full rounded-lg border border-line" />}
    </div>
  );
}
