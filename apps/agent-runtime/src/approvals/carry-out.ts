import type { Bus } from '#lib/bus';
import { callHash, canonicalJson } from '#lib/canonical-json';
import { ASK_HUMAN, type ClaimedTurn, type DecidedCall, RoostError, startApproval } from '#lib/contracts';
import { asSchema, type ModelMessage, type ToolResultPart, type ToolSet } from 'ai';
import type { PermissionGate } from '../permissions/gate.js';
import { patientRequest } from '../turns/patient-request.js';
import type { ToolCallReporter } from '../turns/tool-call-reporter.js';
import { TurnStopped } from '../turns/turn-end.js';
import { questionAsked } from './asked-calls.js';
import { type CallQuestions, QuestionAsked } from './call-questions.js';
import { answered, denialOf, withNotes } from './decision-words.js';
import type { WaitingCall } from './waiting-call.js';

type Output = ToolResultPart['output'];

export interface Decisions {
  bus: Bus;
  turn: Pick<ClaimedTurn, 'turnId' | 'fencingToken'>;
  tools: ToolSet;
  gate: PermissionGate;
  questions: CallQuestions;
  reporter: ToolCallReporter;
  abort: AbortController;
  /** What led to the calls. */
  messages: ModelMessage[];
}

/**
 * Runs or refuses a call as a person decided, and returns its result for the model; the call as it waits now, if its tool
 * asks a person something. An allowed call runs at most once, whichever attempts come to it, and only as it was shown; one
 * that waited for an answer runs once more with it. Errors: the signal's reason, when the turn is stopped or another worker's
 * by now.
 */
export async function carryOut(
  call: WaitingCall,
  decided: DecidedCall,
  decisions: Decisions,
): Promise<ToolResultPart | WaitingCall> {
  const { toolCallId, toolName, ask } = call;
  const { questions, reporter } = decisions;
  const isQuestion = ask.kind === 'question';
  const text = (isQuestion ? call.arguments : decided.editedArguments) ?? ask.arguments;
  const input: unknown = JSON.parse(text);
  reporter.started({ toolCallId, toolName, input: toolName === ASK_HUMAN ? call.input : input });
  const result = (output: Output): ToolResultPart => ({ type: 'tool-result', toolCallId, toolName, output });
  if (decided.status !== 'allowed' && decided.status !== 'answered')
    return result(refused(call, denialOf(decided, isQuestion), decisions));
  if (toolName === ASK_HUMAN) {
    const answer = answered(decided.answer);
    reporter.finished(call, { output: answer });
    return result({ type: 'text', value: answer });
  }
  if (isQuestion && decided.answer !== null) {
    const given = { question: ask.arguments, answer: JSON.parse(decided.answer) as unknown };
    questions.answered(toolCallId, [...(call.answers ?? []), given]);
  }
  try {
    return result(withNotes(await execute(call, decided, input, decisions), decided));
  } catch (error) {
    if (!(error instanceof QuestionAsked)) throw error;
    const next = questionAsked(toolCallId, ask.tool, error.question);
    const answers = questions.answersOf(toolCallId);
    return { toolCallId, toolName, input: call.input, ask: next, arguments: canonicalJson(input), answers };
  }
}

async function execute(call: WaitingCall, decided: DecidedCall, input: unknown, decisions: Decisions): Promise<Output> {
  const { toolCallId, toolName, ask } = call;
  const { tools, gate, reporter, abort, messages } = decisions;
  const tool = Object.hasOwn(tools, toolName) ? tools[toolName] : undefined;
  if (!tool?.execute) return refused(call, 'the tool cannot be used now: it was not run', decisions);
  const checked = await asSchema(tool.inputSchema).validate?.(input);
  if (checked && !checked.success)
    return refused(
      call,
      `the arguments that a person put in are not what the tool takes, and it was not run: ${checked.error.message}`,
      decisions,
    );
  // Of a question the hash is that of what was asked: the answer is given to just that.
  const hash = ask.kind === 'question' ? ask.hash : callHash(ask.tool, input);
  const problem = await start(decided, hash, decisions);
  if (problem) return refused(call, problem, decisions);
  const value: unknown = checked?.success ? checked.value : input;
  gate.approve(toolCallId, { tool: ask.tool, arguments: value });
  try {
    const output: unknown = await tool.execute(value, {
      toolCallId,
      messages,
      abortSignal: abort.signal,
      context: undefined,
    });
    abort.signal.throwIfAborted();
    reporter.finished(call, { output });
    if (tool.toModelOutput) return await tool.toModelOutput({ toolCallId, input: value, output });
    return typeof output === 'string' ? { type: 'text', value: output } : { type: 'json', value: output as never };
  } catch (error) {
    // Cut off with its turn: the next attempt learns that it was begun.
    abort.signal.throwIfAborted();
    if (error instanceof QuestionAsked) throw error;
    reporter.finished(call, { error });
    return { type: 'error-text', value: error instanceof Error ? error.message : String(error) };
  }
}

/** Asks for the right to run the call; returns the reason where there is none. */
async function start(
  { approvalId }: DecidedCall,
  hash: string,
  { bus, turn, abort }: Decisions,
): Promise<string | undefined> {
  const { turnId, fencingToken } = turn;
  try {
    await patientRequest(bus, startApproval, { approvalId, turnId, fencingToken, hash }, abort.signal);
    return undefined;
  } catch (error) {
    const reason = error instanceof RoostError ? error.details[0]?.reason : undefined;
    if (reason === 'lease_lost') abort.abort(new TurnStopped('lease-lost'));
    abort.signal.throwIfAborted();
    if (reason === 'already_started')
      return '[interrupted: the worker that ran this went away. It is not known whether it ran, and it is not run again: look before you go on.]';
    if (error instanceof RoostError && error.code === 'CONFLICT') return `it was not run: ${error.message}`;
    throw error;
  }
}

function refused(call: WaitingCall, message: string, { reporter }: Decisions): Output {
  reporter.finished(call, { error: new Error(message) });
  return { type: 'error-text', value: message };
}
