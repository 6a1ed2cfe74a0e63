import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { agentQuery } from '../agents/agents.js';
import { ErrorNote, Skeletons } from '../components/feedback.js';
import { SelectField } from '../components/field.js';
import { FormDialog } from '../components/form-dialog.js';
import { ShowMore } from '../components/show-more.js';
import { visibleText } from '../components/visible-text.js';
import { useVersions } from '../versions/versions.js';
import { usePin } from './use-pin.js';

interface PinDialogProps {
  agentId: string;
  conversationId: string;
  /** What is chosen at first. */
  version: number;
  onClose: () => void;
}

/** Chooses the version that answers in a conversation from now on. */
export function PinDialog({ agentId, conversationId, version, onClose }: PinDialogProps) {
  const [chosen, setChosen] = useState(version);
  const pin = usePin(agentId, conversationId);
  return (
    <FormDialog
      onClose={onClose}
      title="Pin this conversation"
      about="One version answers here, whatever becomes of the agent, until it is unpinned."
      saving={pin}
      onSubmit={() => pin.mutate(chosen, { onSuccess: onClose })}
      action="Pin"
      failure="It was not pinned"
    >
      <VersionField agentId={agentId} chosen={chosen} onChoose={setChosen} />
    </FormDialog>
  );
}

interface VersionFieldProps {
  agentId: string;
  chosen: number;
  onChoose: (version: number) => void;
}

function VersionField({ agentId, chosen, onChoose }: VersionFieldProps) {
  const { data: agent } = useQuery(agentQuery(agentId));
  const versions = useVersions(agentId, agent?.version);
  const { items, error, reload } = versions;
  return (
    <div>
      {error !== null && !items && <ErrorNote error={error} title="The versions cannot be listed" onRetry={reload} />}
      {!items && !error && <Skeletons count={1} className="h-14" />}
      {items && (
        <SelectField label="Version" value={chosen} onChange={({ target }) => onChoose(Number(target.value))}>
          {items.every((each) => each.version !== chosen) && <option value={chosen}>Version {chosen}</option>}
          {items.map(({ version: number, is_current: isCurrent, is_draft: isDraft, note }) => (
            <option key={number} value={number}>
              {isDraft ? 'Draft' : 'Version'} {number}
              {isCurrent && ', the present one'}
              {note && `: ${visibleText(note)}`}
            </option>
          ))}
        </SelectField>
      )}
      <ShowMore list={versions} />
    </div>
  );
}
