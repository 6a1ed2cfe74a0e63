import type { DecidedCall } from '#lib/contracts';
import type { ToolResultPart } from 'ai';

type Output = ToolResultPart['output'];

/** An answer as the model reads it: a text as it is, the rest as JSON. */
export function answered(json: string | null): string {
  const answer: unknown = JSON.parse(json ?? 'null');
  return typeof answer === 'string' ? answer : JSON.stringify(answer);
}

/** Why a call was not run, or a question not answered. */
export function denialOf({ status, message }: DecidedCall, isQuestion: boolean): string {
  const said = message ? `, and says: ${message}` : '';
  if (isQuestion) {
    if (status === 'expired') return 'nobody answered in time. Go on without an answer, or say what you lack.';
    if (status === 'cancelled') return 'the question was withdrawn.';
    return `a person does not want to answer this${said || '. Do not ask the same again.'}`;
  }
  if (status === 'expired') return 'not run: nobody allowed it in time. Do not try it again unless you are asked to.';
  if (status === 'cancelled') return 'not run: it was cancelled.';
  return `not run: a person denied it${said || '. Do not try it again in another way.'}`;
}

/** What the model has to know of the decision beside the result. */
export function withNotes(output: Output, { status, message, editedArguments }: DecidedCall): Output {
  if (status !== 'allowed') return output;
  const notes = [
    ...(editedArguments === null ? [] : [`[a person changed the arguments to ${editedArguments}]`]),
    ...(message ? [`[the person who allowed it says: ${message}]`] : []),
  ].join('\n');
  if (notes === '') return output;
  switch (output.type) {
    case 'text':
    case 'error-text':
      return { ...output, value: `${notes}\n${output.value}` };
    case 'content':
      return { ...output, value: [{ type: 'text', text: notes }, ...output.value] };
    default:
      return { type: 'text', value: `${notes}\n${JSON.stringify('value' in output ? output.value : null)}` };
  }
}
