import { type Api, parseExactJson, type Trigger } from '@roost-ai/sdk';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { roost } from '../api/roost.js';
import { messageOf } from '../components/feedback.js';
import { TextArea } from '../components/field.js';
import { FormDialog } from '../components/form-dialog.js';
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
    <FormDialog
      isOpen={isOpen}
      onClose={onClose}
      title="Send a test"
      about="The agent gets the message that a request with this body would give. No secret is needed."
      saving={test}
      onSubmit={test.mutate}
      action="Send it"
      failure="The test was not sent"
      isDisabled={problem !== undefined}
    >
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
    </FormDialog>
  );
}

function readJson(text: string): { payload?: Payload; problem?: string } {
  try {
    return { payload: parseExactJson(text) as Payload };
  } catch (error) {
    return { problem: `No JSON yet: ${messageOf(error)}` };
  }
}
