import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { roost } from '../api/roost.js';
import { Confirm } from '../components/dialog.js';
import { TextField } from '../components/field.js';
import { FormDialog } from '../components/form-dialog.js';
import { toast, toastError } from '../components/toasts.js';
import { joined, nameOf } from './tree-state.js';
import { visibleText } from '../components/visible-text.js';

/** What is asked about a place in the workspace. */
export type FileQuestion =
  | { action: 'new-file' | 'new-folder'; directory: string }
  | { action: 'rename'; path: string; isDirectory: boolean }
  | { action: 'delete'; path: string; isDirectory: boolean };
type Deletion = Extract<FileQuestion, { action: 'delete' }>;
type Naming = Exclude<FileQuestion, Deletion>;

interface FileDialogsProps {
  agentId: string;
  question: FileQuestion | undefined;
  onClose: () => void;
  /** What was done; `path` is where the thing is now, undefined if it is gone. */
  onDone: (question: FileQuestion, path: string | undefined) => void;
}

export function FileDialogs({ agentId, question, onClose, onDone }: FileDialogsProps) {
  if (question?.action === 'delete')
    return <DeleteDialog agentId={agentId} question={question} onClose={onClose} onDone={onDone} />;
  return (
    question && (
      <NameDialog
        key={JSON.stringify(question)}
        agentId={agentId}
        question={question}
        onClose={onClose}
        onDone={onDone}
      />
    )
  );
}

const WORDS = {
  'new-file': { title: 'New file', action: 'Make the file', failure: 'The file was not made' },
  'new-folder': { title: 'New folder', action: 'Make the folder', failure: 'The folder was not made' },
  rename: { title: 'Rename or move', action: 'Rename', failure: 'Nothing was renamed' },
};

function NameDialog({ agentId, question, onClose, onDone }: Omit<FileDialogsProps, 'question'> & { question: Naming }) {
  const [path, setPath] = useState(question.action === 'rename' ? question.path : joined(question.directory, ''));
  const change = useMutation({
    mutationFn: () => carryOut(agentId, question, path),
    onSuccess: () => onDone(question, path),
  });
  const isSame = question.action === 'rename' && path === question.path;
  return (
    <FormDialog
      {...WORDS[question.action]}
      onClose={onClose}
      saving={change}
      onSubmit={change.mutate}
      isDisabled={isSame || nameOf(path).trim() === ''}
    >
      <TextField
        label="Path"
        hint="From the top of the workspace; folders on the way are made."
        ref={selectName}
        spellCheck={false}
        maxLength={4096}
        value={path}
        onChange={({ target }) => setPath(target.value)}
        className="font-mono"
      />
    </FormDialog>
  );
}

/** What is most often changed: the name, without its ending. */
function selectName(field: HTMLInputElement | null): void {
  if (!field) return;
  field.focus();
  const from = field.value.lastIndexOf('/') + 1;
  const dot = field.value.lastIndexOf('.');
  field.setSelectionRange(from, dot > from ? dot : field.value.length);
}

async function carryOut(agentId: string, question: Naming, path: string): Promise<void> {
  const { files } = roost.agent(agentId);
  if (question.action === 'rename') {
    const [result] = await files.move([{ source: question.path, destination: path }]);
    if (!result?.success) throw new Error(result?.error?.message ?? 'It was not renamed.');
  } else if (question.action === 'new-file') await files.write(path, '', { overwrite: false });
  else await files.makeDirectory(path);
}

function DeleteDialog({
  agentId,
  question,
  onClose,
  onDone,
}: Omit<FileDialogsProps, 'question'> & { question: Deletion }) {
  const { path, isDirectory } = question;
  const name = visibleText(nameOf(path));
  const remove = useMutation({
    mutationFn: () => {
      const { files } = roost.agent(agentId);
      return isDirectory ? files.deleteDirectory(path, { recursive: true }) : files.delete(path);
    },
    onSuccess: () => {
      toast(`${name} is deleted.`);
      onDone(question, undefined);
    },
    onError: toastError,
  });
  return (
    <Confirm
      isOpen
      onClose={onClose}
      onConfirm={() => remove.mutate()}
      title={`Delete ${name}?`}
      action="Delete"
      isBusy={remove.isPending}
    >
      {isDirectory ? 'Everything in it goes with it.' : 'The agent can no longer read it.'} This cannot be undone.
    </Confirm>
  );
}
