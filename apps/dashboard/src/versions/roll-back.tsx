import type { RolledBack } from '@roost-ai/sdk';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { agentKey, agentsKey } from '../agents/agents.js';
import { roost } from '../api/roost.js';
import { Button } from '../components/button.js';
import { Dialog } from '../components/dialog.js';
import { TextField } from '../components/field.js';
import { FormDialog } from '../components/form-dialog.js';
import { toast } from '../components/toasts.js';
import { visibleText } from '../components/visible-text.js';

type NotRestored = RolledBack['not_restored'][number];
const REASONS: Record<NotRestored['reason'], string> = {
  secret_changed: 'its value was replaced since, and the present one stays',
  secret_removed: 'its value is gone: set it anew',
  cannot_shrink: 'a volume only grows',
};

/** The same in the API: of a draft it is called what it is for. */
const WORDS = {
  version: {
    button: 'Roll back to it',
    question: (version: number) => `Roll back to version ${version}?`,
    action: 'Roll back',
    about: 'The agent has these settings from its next turn on, as a new version: nothing is lost.',
  },
  draft: {
    button: 'Publish it',
    question: (version: number) => `Publish draft ${version}?`,
    action: 'Publish',
    about:
      'The agent has all settings of the draft from its next turn on, as a new version. What was changed since the draft was made is undone by that: compare it with the present version first.',
  },
};

interface RollBackProps {
  agentId: string;
  version: number;
  isDraft: boolean;
  present: number;
}

/** Gives the agent the settings of a version, after a question, and says what could not be brought back. */
export function RollBack({ agentId, version, isDraft, present }: RollBackProps) {
  const words = WORDS[isDraft ? 'draft' : 'version'];
  const [isAsked, setAsked] = useState(false);
  const [note, setNote] = useState('');
  const client = useQueryClient();
  const navigate = useNavigate();
  const show = () => void navigate({ to: '/agents/$agentId/versions', params: { agentId } });
  const back = useMutation({
    // Of what is looked at: when somebody else has changed the agent meanwhile, it is refused.
    mutationFn: () =>
      roost
        .agent(agentId)
        .versions.rollBack(version, { ifVersion: present, ...(note.trim() && { note: note.trim() }) }),
    onSuccess: (done) => {
      setAsked(false);
      toast(`The agent has the settings of version ${version}, as version ${done.version}.`);
      if (done.not_restored.length === 0) show();
    },
    onSettled: () => {
      void client.invalidateQueries({ queryKey: agentKey(agentId) });
      void client.invalidateQueries({ queryKey: agentsKey });
    },
  });
  return (
    <>
      <Button icon={isDraft ? 'check' : 'rotate-ccw'} onClick={() => setAsked(true)}>
        {words.button}
      </Button>
      <FormDialog
        isOpen={isAsked}
        onClose={() => setAsked(false)}
        title={words.question(version)}
        about={`${words.about} Keys of providers and bots stay as they are.`}
        saving={back}
        onSubmit={back.mutate}
        action={words.action}
        failure="Nothing was changed"
      >
        <TextField
          label="Note"
          hint="Why, for whoever reads the versions."
          value={note}
          onChange={({ target }) => setNote(target.value)}
        />
      </FormDialog>
      <Dialog
        isOpen={(back.data?.not_restored.length ?? 0) > 0}
        onClose={show}
        title="Not all of it could be brought back"
        actions={
          <Button kind="primary" onClick={show}>
            To the versions
          </Button>
        }
      >
        <ul aria-label="Not restored" className="list-disc space-y-1 pl-5">
          {back.data?.not_restored.map(({ field, reason }) => (
            <li key={field}>
              <code className="font-mono text-sm wrap-anywhere">{visibleText(field)}</code>: {REASONS[reason]}
            </li>
          ))}
        </ul>
      </Dialog>
    </>
  );
}
