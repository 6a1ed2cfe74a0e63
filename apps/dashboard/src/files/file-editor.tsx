import { NotFoundError, PreconditionFailedError } from '@roost-ai/sdk';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { lazy, Suspense, useState } from 'react';
import { createPortal } from 'react-dom';
import { roost } from '../api/roost.js';
import { Button } from '../components/button.js';
import { Skeletons } from '../components/feedback.js';
import { toast, toastError } from '../components/toasts.js';
import { UnsavedGuard } from '../components/unsaved-guard.js';
import { isMac } from '../shell/keys.js';
import { ConflictDialog } from './conflict-dialog.js';
import { type FileContent, fileQuery, readContent } from './file-content.js';
import { visibleText } from '../components/visible-text.js';

const CodeEditor = lazy(() => import('../code-editor/code-editor.js').then((file) => ({ default: file.CodeEditor })));

type Text = Extract<FileContent, { kind: 'text' }>;

interface FileEditorProps {
  agentId: string;
  path: string;
  /** What is there, as it was last read. */
  content: Text;
  line: number | undefined;
  /** The header's part for what can be done with the text. */
  toolsIn: HTMLElement | null;
}

/** Edits a text. It is written only in place of what was read: whoever was faster is shown first. */
export function FileEditor({ agentId, path, content, line, toolsIn }: FileEditorProps) {
  const client = useQueryClient();
  const [base, setBase] = useState(content);
  const [text, setText] = useState(content.text);
  /** Of what the editor began with: a text that was saved stays in it, with what can be undone. */
  const [version, setVersion] = useState(0);
  const [conflict, setConflict] = useState<FileContent | 'gone'>();
  const isChanged = text !== base.text;
  // What the agent wrote meanwhile is shown at once where nothing would be lost by it.
  if (!isChanged && content.etag !== base.etag) take(content);
  function take(next: Text) {
    setBase(next);
    setText(next.text);
    setVersion((before) => before + 1);
  }
  const keep = (next: Text) => {
    setBase(next);
    setConflict(undefined);
    client.setQueryData(fileQuery(agentId, path).queryKey, next);
  };
  const save = useMutation({
    mutationFn: async ({ over }: { over: string | undefined }) => {
      const sent = text;
      const { etag } = await roost.agent(agentId).files.write(path, sent, { ifMatch: over });
      return { kind: 'text' as const, text: sent, etag };
    },
    onSuccess: (saved) => {
      keep(saved);
      toast(`${visibleText(path)} is saved.`);
    },
    onError: (error) => {
      if (error instanceof PreconditionFailedError) void look();
      else if (error instanceof NotFoundError) setConflict('gone');
      else toastError(error);
    },
  });
  const look = () =>
    readContent(agentId, path).then(setConflict, (error: unknown) =>
      error instanceof NotFoundError ? setConflict('gone') : toastError(error),
    );
  const onSave = () => isChanged && !save.isPending && save.mutate({ over: base.etag });
  const isOutdated = isChanged && content.etag !== base.etag;
  return (
    <>
      {toolsIn &&
        createPortal(
          <>
            <span role="status" className="text-xs text-faint">
              {isChanged ? 'Not saved' : ''}
            </span>
            <Button
              kind={isChanged ? 'primary' : 'plain'}
              icon="save"
              title={isMac ? '⌘S' : 'Ctrl S'}
              disabled={!isChanged}
              isBusy={save.isPending}
              onClick={onSave}
            >
              Save
            </Button>
          </>,
          toolsIn,
        )}
      {isOutdated && (
        <p role="status" className="flex flex-wrap items-center gap-3 bg-warn-soft px-4 py-2 text-sm text-warn">
          <span className="grow">The file was changed meanwhile, perhaps by the agent.</span>
          <Button onClick={() => void look()}>Look at it</Button>
        </p>
      )}
      <Suspense fallback={<Skeletons count={1} className="h-64" />}>
        <CodeEditor
          key={version}
          label={`Text of ${visibleText(path)}`}
          name={path}
          text={base.text}
          line={line}
          onChange={setText}
          onSave={onSave}
        />
      </Suspense>
      <ConflictDialog
        conflict={conflict}
        isBusy={save.isPending}
        onClose={() => setConflict(undefined)}
        onTake={() => {
          if (conflict === 'gone' || conflict?.kind !== 'text') return;
          keep(conflict);
          take(conflict);
        }}
        onOverwrite={() =>
          save.mutate({ over: conflict !== 'gone' && conflict?.kind === 'text' ? conflict.etag : undefined })
        }
      />
      <UnsavedGuard isChanged={isChanged} of="path">
        Your changes of {visibleText(path)} are not saved.
      </UnsavedGuard>
    </>
  );
}
