import { useQueryClient } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { useState } from 'react';
import { Button } from '../components/button.js';
import { Empty } from '../components/feedback.js';
import { useTitle } from '../components/page.js';
import { toastError } from '../components/toasts.js';
import { droppedFiles } from './dropped-files.js';
import { FileDialogs, type FileQuestion } from './file-dialogs.js';
import { filesKey } from './file-content.js';
import { FileSearch } from './file-search.js';
import { FileTree } from './file-tree.js';
import { FileView } from './file-view.js';
import { FilesToolbar } from './files-toolbar.js';
import { downloadEntry } from './save-download.js';
import type { EntryAction } from './tree-line.js';
import { UploadList } from './upload-list.js';
import { useRows, useTree } from './use-tree.js';
import { useUpload } from './use-upload.js';

const route = getRouteApi('/app/agents/$agentId/files');

/** The agent's workspace: its tree on the left, a file on the right; on a small screen one of them. */
export function FilesPage() {
  const { agentId } = route.useParams();
  const { path, line, q = '' } = route.useSearch();
  const navigate = route.useNavigate();
  const client = useQueryClient();
  const store = useTree(agentId, path);
  const rows = useRows(store);
  const [question, setQuestion] = useState<FileQuestion>();
  const upload = useUpload(agentId, store);
  useTitle('Files');

  const show = (next: string | undefined) =>
    void navigate({ search: { ...(q ? { q } : {}), ...(next ? { path: next } : {}) } });
  const onAction = (action: EntryAction, at: string, isDirectory: boolean) => {
    if (action === 'rename' || action === 'delete') setQuestion({ action, path: at, isDirectory });
    else if (action === 'download') void downloadEntry(agentId, at, isDirectory);
    else if (action === 'upload') upload.choose(at);
    else setQuestion({ action, directory: at });
  };
  const onDone = (asked: FileQuestion, now: string | undefined) => {
    setQuestion(undefined);
    const before = 'path' in asked ? asked.path : asked.directory;
    store.changed(...('path' in asked ? [asked.path] : []), ...(now === undefined ? [] : [now]));
    void client.invalidateQueries({ queryKey: filesKey(agentId) });
    if (asked.action === 'new-file') show(now);
    // What is shown went with it, or to another place.
    else if (path !== undefined && (path === before || path.startsWith(`${before}/`)))
      show(now === undefined ? undefined : now + path.slice(before.length));
  };
  return (
    <div className="flex h-full">
      <h2 className="sr-only">Files</h2>
      <div
        className={`h-full w-full flex-col border-line lg:flex lg:w-80 lg:shrink-0 lg:border-r 2xl:w-96 ${path === undefined ? 'flex' : 'hidden'}`}
      >
        <FilesToolbar
          query={q}
          onQuery={(next) =>
            void navigate({ search: { ...(path ? { path } : {}), ...(next ? { q: next } : {}) }, replace: true })
          }
          onAction={(action) => onAction(action, '', true)}
          onRefresh={() => store.refresh()}
        />
        {q.trim() !== '' ? (
          <FileSearch agentId={agentId} query={q} />
        ) : rows.length === 1 && rows[0]?.kind === 'empty' ? (
          <NoFiles agentId={agentId} onUpload={() => upload.choose('')} />
        ) : (
          <FileTree
            agentId={agentId}
            rows={rows}
            store={store}
            current={path}
            onOpen={show}
            onAction={onAction}
            onDrop={(data, directory) =>
              void droppedFiles(data).then((chosen) => upload.start(directory, chosen), toastError)
            }
          />
        )}
        <UploadList agentId={agentId} />
        {upload.field}
      </div>
      <div className={`min-w-0 grow bg-surface ${path === undefined ? 'hidden lg:block' : ''}`}>
        {path === undefined ? (
          <Empty
            icon="folder-open"
            title="The workspace"
            code={`const { files } = roost.agent('${agentId}');\nawait files.write('notes.md', '# Notes\\n');\nconsole.log(await files.read('notes.md'));`}
            cli={`roost files ls ${agentId}`}
          >
            What the agent writes and reads. Choose a file to see or change it; drop files into the tree to upload them.
          </Empty>
        ) : (
          <FileView key={path} agentId={agentId} path={path} line={line} onAction={onAction} />
        )}
      </div>
      <FileDialogs agentId={agentId} question={question} onClose={() => setQuestion(undefined)} onDone={onDone} />
    </div>
  );
}

function NoFiles({ agentId, onUpload }: { agentId: string; onUpload: () => void }) {
  return (
    <Empty
      icon="folder-open"
      title="Nothing in it yet"
      code={`await roost.agent('${agentId}').files.write('notes.md', '# Notes\\n');`}
      cli={`roost files cp notes.md ${agentId}:`}
      action={
        <Button icon="upload" onClick={onUpload}>
          Upload files
        </Button>
      }
    >
      Drop files here, or let the agent write some.
    </Empty>
  );
}
