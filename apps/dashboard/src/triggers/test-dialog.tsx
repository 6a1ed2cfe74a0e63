import type { Api, Trigger } from '@roost-ai/sdk';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { roost } from '../api/roost.js';
import { Button } from '../components/button.js';
import { Dialog } from '../components/dialog.js';
import { ErrorNote, messageOf } from '../components/feedback.js';
import { TextArea } from '../components/field.js';
import { toast } from '../components/toasts.js';
import { examplePayload } from './example-payload.js';
import { triggersKey } from './triggers.js';

type Payload = Api.TriggersTestData['body']['payload'];

interface TestDialogProps {
  agentId: string;
  trigger: Trigger;
  isOpen: boolean;
  onClose: () => void;
}

/** Asks the agent as a request with this body would. */
export function TestDialog({ agentId, trigger, isOpen, onClose }: TestDialogProps) {
  const client = useQueryClient();
  const [text, setText] = useState(() => JSON.stringify(examplePayload(trigger.message_template), null, 2));
  const { payload, problem } = readJson(text);
  const test = useMutation({
    mutationFn: () => roost.agent(agentId).triggers.test(trigger.id, payload),
    onSuccess: () => {
      toast('The agent is asked.');
      void client.invalidateQueries({ queryKey: triggersKey(agentId) });
      onClose();
    },
  });
  return (
    <Dialog
      isOpen={isOpen}
      onClose={onClose}
      title="Send a test"
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" isBusy={test.isPending} disabled={problem !== undefined} onClick={() => test.mutate()}>
            Send it
          </Button>
        </>
      }
    >
      <div className="space-y-4">
        <p className="text-sm text-soft">
          The agent gets the message that a request with this body would give. No secret is needed.
        </p>
        <TextArea
          label="Body"
          hint="As JSON."
          rows={8}
          spellCheck={false}
          error={problem}
          value={text}
          onChange={({ target }) => setText(target.value)}
          className="font-mono text-xs"
        />
        {test.error && <ErrorNote error={test.error} title="The test was not sent" />}
      </div>
    </Dialog>
  );
}

function readJson(text: string): { payload?: Payload; problem?: string } {
  try {
    return { payload: JSON.parse(text) as Payload };
  } catch (error) {
    return { problem: `No JSON yet: ${messageOf(error)}` };
  }
}
