import type { AgentDetails, FieldChange } from '@roost-ai/sdk';
import { Button } from '../components/button.js';
import { Dialog } from '../components/dialog.js';
import { visibleText } from '../components/visible-text.js';
import { FieldChanges } from '../versions/field-changes.js';

export interface Conflict {
  /** The version that was edited here. */
  from: number;
  theirs: AgentDetails;
  /** How it differs from the one that was edited. */
  changes: FieldChange[];
}

interface ConflictDialogProps {
  conflict: Conflict | undefined;
  /** Fields that were changed here. */
  mine: string[];
  isBusy: boolean;
  onClose: () => void;
  onTake: (theirs: AgentDetails) => void;
  onOverwrite: (theirs: AgentDetails) => void;
}

/** Somebody else saved first: shows what, and asks what is to become of both. */
export function ConflictDialog({ conflict, mine, isBusy, onClose, onTake, onOverwrite }: ConflictDialogProps) {
  const both = conflict?.changes.map(({ field }) => field).filter((field) => mine.some((own) => isWithin(field, own)));
  return (
    <Dialog
      isOpen={conflict !== undefined}
      onClose={onClose}
      title={`Somebody else has saved version ${conflict?.theirs.version} meanwhile`}
      size="large"
      actions={
        <>
          <Button onClick={onClose}>Go on editing</Button>
          <Button kind="danger" onClick={() => conflict && onTake(conflict.theirs)}>
            Take theirs, and lose mine
          </Button>
          <Button kind="primary" isBusy={isBusy} onClick={() => conflict && onOverwrite(conflict.theirs)}>
            Save mine on top of theirs
          </Button>
        </>
      }
    >
      {conflict && (
        <div className="space-y-4">
          <p className="text-soft">
            Nothing of yours was saved. On top of theirs means: fields that you changed get your values, all others stay
            as they are now.
          </p>
          {both && both.length > 0 ? (
            <p className="rounded-lg bg-warn-soft px-3 py-2 text-sm wrap-anywhere text-warn">
              Both of you changed: {visibleText(both.join(', '))}
            </p>
          ) : (
            <p className="rounded-lg bg-ok-soft px-3 py-2 text-sm text-ok">You changed different fields.</p>
          )}
          <h3 className="font-medium">What they changed of version {conflict.from}</h3>
          {conflict.changes.length > 0 ? (
            <FieldChanges changes={conflict.changes} />
          ) : (
            <p className="text-soft">Nothing differs any more.</p>
          )}
        </div>
      )}
    </Dialog>
  );
}

/** A change of `configuration.network` touches `configuration.network.mode`, and the other way round. */
const isWithin = (a: string, b: string) => a === b || a.startsWith(`${b}.`) || b.startsWith(`${a}.`);
