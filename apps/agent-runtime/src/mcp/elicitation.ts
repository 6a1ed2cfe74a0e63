import {
  type ElicitRequest,
  type ElicitResult,
  ErrorCode,
  McpError,
  type UrlElicitationRequiredError,
} from '@modelcontextprotocol/sdk/types.js';
import type { Question } from '#lib/contracts';
import { readQuestion } from '#lib/questions';
import type { CallQuestions, QuestionAsked } from '../approvals/call-questions.js';

type Params = ElicitRequest['params'];

/** For a question without a field: the person only agrees. */
const CONFIRM = 'Confirm';

/**
 * What a server is answered that asks a person in the middle of a call. A person may take days, and no server waits so long
 * (the TypeScript SDK's wait a minute): the call is given up, and repeated with the answer, which is then there at once.
 */
export class Elicitation {
  constructor(
    private readonly questions: CallQuestions,
    private readonly toolCallId: string,
  ) {}

  /** The recorded answer, or that the call has to be given up. Errors: McpError for what nobody can be asked. */
  answerTo(params: Params): ElicitResult | QuestionAsked {
    const question = questionOf(params);
    const known = this.questions.answerTo(this.toolCallId, question);
    if (known) return resultOf(question, known.answer);
    // The protocol's word for a question that nobody has seen.
    if (this.questions.problemOf(this.toolCallId) !== undefined) return { action: 'cancel' };
    return this.questions.ask(this.toolCallId, question);
  }

  /** The same for a server that ends the call and says which page has to be opened before it is made again. */
  required({ elicitations, message }: UrlElicitationRequiredError): QuestionAsked | Error {
    const open = elicitations
      .slice(0, 5)
      .map((params) => questionOf({ ...params, mode: 'url' }))
      .find((question) => !this.questions.answerTo(this.toolCallId, question));
    if (!open) return new Error(`the server still asks for a page to be opened: ${message.slice(0, 500)}`);
    const problem = this.questions.problemOf(this.toolCallId);
    return problem === undefined
      ? this.questions.ask(this.toolCallId, open)
      : new Error(`the server wants a person to open ${open.url ?? ''}: ${problem}`);
  }
}

function questionOf(params: Params): Question {
  const { message: question } = params;
  const asked =
    params.mode === 'url'
      ? { question, url: params.url }
      : Object.keys(params.requestedSchema.properties).length === 0
        ? { question, choices: [CONFIRM] }
        : { question, schema: params.requestedSchema };
  const read = readQuestion(asked);
  if ('problem' in read) throw new McpError(ErrorCode.InvalidParams, `nobody can be asked this: ${read.problem}`);
  return read;
}

function resultOf({ schema }: Question, answer: unknown): ElicitResult {
  return schema ? { action: 'accept', content: answer as ElicitResult['content'] } : { action: 'accept', content: {} };
}
