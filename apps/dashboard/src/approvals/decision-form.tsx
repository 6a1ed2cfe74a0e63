import type { Approval, ApprovalDecision as Decision } from '@roost-ai/sdk';
import { lazy, Suspense, useState } from 'react';
import { Button } from '../components/button.js';
import { Confirm, Dialog } from '../components/dialog.js';
import { ErrorNote, Skeletons } from '../components/feedback.js';
import { TextField } from '../components/field.js';
import { Segmented } from '../components/segmented.js';
import { visibleText } from '../components/visible-text.js';
import { isDecidedAlready, useDecide } from './approvals.js';
import { ArgumentsView } from './arguments-view.js';

const CodeEditor = lazy(() => import('../code-editor/code-editor.js').then((file) => ({ default: file.CodeEditor })));

interface DecisionFormProps {
  approval: Approval;
  /** The whole arguments. */
  text: string;
  onDecided?: () => void;
}

/** May it run? Once, always, with other arguments, or not, and what is said to the agent with that. */
export function DecisionForm({ approval, text, onDecided }: DecisionFormProps) {
  const [message, setMessage] = useState('');
  const [edit, setEdit] = useState<string>();
  const [isAsked, setAsked] = useState(false);
  const decide = useDecide(approval);
  const edited = edit === undefined ? undefined : objectIn(edit);
  const isRequest = approval.kind === 'credential';
  const isWrong = edit !== undefined && edited === undefined;
  const send = (decision: Decision) =>
    decide.mutate(
      {
        ...decision,
        ...(message.trim() && { message: message.trim() }),
        ...(decision.decision !== 'deny' && edited && { arguments: edited as NonNullable<Decision['arguments']> }),
      },
      { onSuccess: () => onDecided?.() },
    );
  return (
    <div className="space-y-3">
      {edit !== undefined && (
        <div className="space-y-2">
          <h3 className="text-sm font-medium">Arguments to run it with</h3>
          <div className="h-56 overflow-hidden rounded-lg border border-line-strong">
            <Suspense fallback={<Skeletons count={1} className="h-56" />}>
              <CodeEditor
                label="Arguments as JSON"
                name="arguments.json"
                text={prettyJson(text)}
                onChange={setEdit}
                onSave={() => undefined}
              />
            </Suspense>
          </div>
          {isWrong && <p className="text-xs font-medium text-bad">This is no JSON object yet.</p>}
          {edited && (
            <>
              <h3 className="pt-1 text-sm font-medium">What runs then</h3>
              <ArgumentsView label="What runs then" text={JSON.stringify(edited)} />
            </>
          )}
        </div>
      )}
      <TextField
        label="Message to the agent"
        maxLength={2_000}
        hint="Why not, or what to do instead. It may be empty."
        value={message}
        onChange={({ target }) => setMessage(target.value)}
      />
      {decide.error && !isDecidedAlready(decide.error) && <ErrorNote error={decide.error} title="It was not decided" />}
      <div className="flex flex-wrap justify-end gap-2">
        {!isRequest && (
          <Button
            icon={edit === undefined ? 'pencil' : 'x'}
            className="max-sm:w-full sm:mr-auto"
            onClick={() => setEdit(edit === undefined ? prettyJson(text) : undefined)}
          >
            {edit === undefined ? 'Edit the arguments' : 'Leave them as they are'}
          </Button>
        )}
        <Button kind="danger" isBusy={decide.isPending} onClick={() => send({ decision: 'deny' })}>
          Deny
        </Button>
        <Button isBusy={decide.isPending} disabled={isWrong} onClick={() => setAsked(true)}>
          Allow always …
        </Button>
        <Button
          kind="primary"
          isBusy={decide.isPending}
          disabled={isWrong}
          onClick={() => send({ decision: 'allow_once' })}
        >
          Allow once
        </Button>
      </div>
      {isRequest && (
        <Confirm
          isOpen={isAsked}
          onClose={() => setAsked(false)}
          onConfirm={() => {
            setAsked(false);
            send({ decision: 'allow_always' });
          }}
          title="Allow it always?"
          action="Allow always"
          isBusy={decide.isPending}
        >
          The grant asks no more: the agent’s requests carry the secret wherever it may go. Among the agent’s secrets it
          can be made to ask again.
        </Confirm>
      )}
      <AlwaysDialog
        tool={approval.tool}
        isOpen={isAsked && !isRequest}
        onClose={() => setAsked(false)}
        onChoose={(rule) => {
          setAsked(false);
          send({ decision: 'allow_always', ...(rule && { rule }) });
        }}
      />
    </div>
  );
}

interface AlwaysDialogProps {
  tool: string;
  isOpen: boolean;
  onClose: () => void;
  onChoose: (rule: Decision['rule']) => void;
}

/** What is allowed from now on: no wider than was said. */
function AlwaysDialog({ tool, isOpen, onClose, onChoose }: AlwaysDialogProps) {
  const [width, setWidth] = useState<'exact' | 'tool'>('exact');
  return (
    <Dialog
      isOpen={isOpen}
      onClose={onClose}
      title="Allow it always?"
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" onClick={() => onChoose(width === 'exact' ? undefined : { tool, action: 'allow' })}>
            Allow always
          </Button>
        </>
      }
    >
      <div className="space-y-3">
        <Segmented
          label="What is allowed always"
          options={[
            { value: 'exact', label: 'Exactly this call' },
            { value: 'tool', label: 'The tool, whatever it is asked' },
          ]}
          value={width}
          onChange={setWidth}
        />
        <p className="text-soft">
          {width === 'exact'
            ? `A rule that allows ${visibleText(tool)} with exactly these arguments is put first in the agent’s permissions.`
            : `A rule that allows ${visibleText(tool)} with any arguments is put first in the agent’s permissions: nobody is asked about it again.`}{' '}
          It is a new version of its configuration, and can be taken back there.
        </p>
      </div>
    </Dialog>
  );
}

const prettyJson = (text: string): string => JSON.stringify(JSON.parse(text), null, 2);

function objectIn(text: string): Record<string, unknown> | undefined {
  try {
    const read: unknown = JSON.parse(text);
    return typeof read === 'object' && read !== null && !Array.isArray(read)
      ? (read as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}
