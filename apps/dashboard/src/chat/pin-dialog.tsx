import { useQuery } from '@tanstack/react-query';
import { type FormEvent, useId, useState } from 'react';
import { agentQuery } from '../agents/agents.js';
import { Button } from '../components/button.js';
import { Dialog } from '../components/dialog.js';
import { ErrorNote, Skeletons } from '../components/feedback.js';
import { SelectField } from '../components/field.js';
import { ShowMore } from '../components/show-more.js';
import { visibleText } from '../components/visible-text.js';
import { useVersions } from '../versions/versions.js';
import { usePin } from './use-pin.js';

interface PinDialogProps {
  agentId: string;
  conversationId: string;
  isOpen: boolean;
  /** What is chosen at first. */
  version: number;
  onClose: () => void;
}

/** Chooses the version that answers in a conversation from now on. */
export function PinDialog({ agentId, conversationId, isOpen, version, onClose }: PinDialogProps) {
  const formId = useId();
  const pin = usePin(agentId, conversationId);
  return (
    <Dialog
      isOpen={isOpen}
      onClose={onClose}
      title="Pin this conversation"
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" form={formId} kind="primary" isBusy={pin.isPending}>
            Pin
          </Button>
        </>
      }
    >
      <p className="pb-4 text-soft">One version answers here, whatever becomes of the agent, until it is unpinned.</p>
      <VersionForm
        id={formId}
        agentId={agentId}
        version={version}
        onChosen={(chosen) => pin.mutate(chosen, { onSuccess: onClose })}
      />
      {pin.error && <ErrorNote error={pin.error} title="It was not pinned" />}
    </Dialog>
  );
}

interface VersionFormProps {
  id: string;
  agentId: string;
  version: number;
  onChosen: (version: number) => void;
}

function VersionForm({ id, agentId, version, onChosen }: VersionFormProps) {
  const [chosen, setChosen] = useState(version);
  const { data: agent } = useQuery(agentQuery(agentId));
  const versions = useVersions(agentId, agent?.version);
  const { items, error, reload } = versions;
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    onChosen(chosen);
  };
  return (
    <form id={id} onSubmit={onSubmit} className="pb-2">
      {error !== null && !items && <ErrorNote error={error} title="The versions cannot be listed" onRetry={reload} />}
      {!items && !error && <Skeletons count={1} className="h-14" />}
      {items && (
        <SelectField label="Version" value={chosen} onChange={({ target }) => setChosen(Number(target.value))}>
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
    </form>
  );
}
