import { Button } from '../components/button.js';
import { CodeBlock } from '../components/code.js';
import { Dialog } from '../components/dialog.js';
import { visibleText } from '../components/visible-text.js';
import type { FileContent } from './file-content.js';

interface ConflictDialogProps {
  /** What is there now in place of what was read; undefined: no conflict. */
  conflict: FileContent | 'gone' | undefined;
  isBusy: boolean;
  onClose: () => void;
  /** Gives up the own changes. */
  onTake: () => void;
  onOverwrite: () => void;
}

/** Somebody was faster: shows what is there, and lets choose. */
export function ConflictDialog({ conflict, isBusy, onClose, onTake, onOverwrite }: ConflictDialogProps) {
  const isGone = conflict === 'gone';
  const isText = !isGone && conflict?.kind === 'text';
  return (
    <Dialog
      isOpen={conflict !== undefined}
      onClose={onClose}
      size="large"
      title={isGone ? 'The file was deleted meanwhile' : 'The file was changed meanwhile'}
      actions={
        <>
          <Button onClick={onClose}>Go on editing</Button>
          {isText && <Button onClick={onTake}>Drop my changes</Button>}
          <Button kind="danger" isBusy={isBusy} onClick={onOverwrite}>
            {isGone ? 'Write it again' : 'Overwrite it'}
          </Button>
        </>
      }
    >
      <p className="pb-3 text-soft">
        {isGone
          ? 'Your text is still here. Write it again, or copy it before you leave.'
          : 'Nothing was saved yet. This is what is there now:'}
      </p>
      {isText && <CodeBlock label="What is there now" text={visibleText(conflict.text)} />}
      {conflict && !isGone && !isText && <p className="text-soft">It is no text any more.</p>}
    </Dialog>
  );
}
