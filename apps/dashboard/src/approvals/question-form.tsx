import { ValidationError, type Approval, type ApprovalAnswer } from '@roost-ai/sdk';
import { type FormEvent, useState } from 'react';
import { Button } from '../components/button.js';
import { ErrorNote } from '../components/feedback.js';
import { TextArea, TextField } from '../components/field.js';
import { visibleText } from '../components/visible-text.js';
import { isDecidedAlready, useAnswer, useDecide } from './approvals.js';
import { firstValues, QuestionFields, sentValues, type Values } from './question-fields.js';
import type { Question } from './question-view.js';

interface QuestionFormProps {
  approval: Approval;
  question: Question;
  onDecided?: () => void;
}

/** The answer: a button of each choice, a form of the schema, a text, or that a page was opened. Or none, and why. */
export function QuestionForm({ approval, question, onDecided }: QuestionFormProps) {
  const { choices, schema, url } = question;
  const [text, setText] = useState('');
  const [values, setValues] = useState<Values>(() => firstValues(schema ?? undefined));
  const [message, setMessage] = useState('');
  const answer = useAnswer(approval);
  const decide = useDecide(approval);
  const isBusy = answer.isPending || decide.isPending;
  const send = (given: NonNullable<ApprovalAnswer['answer']>) =>
    answer.mutate({ answer: given }, { onSuccess: () => onDecided?.() });
  const deny = () =>
    decide.mutate(
      { decision: 'deny', ...(message.trim() && { message: message.trim() }) },
      { onSuccess: () => onDecided?.() },
    );
  const error = answer.error ?? decide.error;
  const wrong = fieldErrors(answer.error);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    send(schema ? sentValues(schema, values) : text);
  };
  return (
    <form onSubmit={submit} noValidate className="space-y-3">
      {schema && <QuestionFields schema={schema} values={values} errors={wrong} onChange={setValues} />}
      {!schema && !choices && !url && (
        <TextArea
          label="Your answer"
          maxLength={16_000}
          value={text}
          onChange={({ target }) => setText(target.value)}
        />
      )}
      {choices && (
        <div role="group" aria-label="Answers" className="flex flex-wrap gap-2">
          {choices.map((choice) => (
            <Button
              key={choice}
              isBusy={isBusy}
              onClick={() => send(choice)}
              className="max-w-full wrap-anywhere whitespace-normal"
            >
              {visibleText(choice)}
            </Button>
          ))}
        </div>
      )}
      {error && !isDecidedAlready(error) && Object.keys(wrong).length === 0 && (
        <ErrorNote error={error} title="It was not answered" />
      )}
      <div className="flex flex-wrap items-end gap-2">
        <div className="min-w-48 grow">
          <TextField
            label="Why you do not answer"
            maxLength={2_000}
            value={message}
            onChange={({ target }) => setMessage(target.value)}
          />
        </div>
        <Button isBusy={isBusy} onClick={deny}>
          Do not answer
        </Button>
        {url && (
          <Button kind="primary" isBusy={isBusy} onClick={() => send(true)}>
            I have opened it
          </Button>
        )}
        {!choices && !url && (
          <Button kind="primary" type="submit" isBusy={isBusy} disabled={!schema && text.trim() === ''}>
            Answer
          </Button>
        )}
      </div>
    </form>
  );
}

/** What is wrong with the fields of a form, by their names. */
function fieldErrors(error: unknown): Record<string, string> {
  if (!(error instanceof ValidationError)) return {};
  return Object.fromEntries(
    error.details.flatMap(({ field }) => {
      const name = /^answer\.(.+)$/.exec(field ?? '')?.[1];
      return name === undefined ? [] : [[name, error.message.replace(`answer.${name}: `, '')]];
    }),
  );
}
