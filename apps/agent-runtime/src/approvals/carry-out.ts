import type { Bus } from '#lib/bus';
import { callHash } from '#lib/canonical-json';
import { type ClaimedTurn, type DecidedCall, RoostError, startApproval } from '#lib/contracts';
import { asSchema, type ModelMessage, type ToolResultPart, type ToolSet } from 'ai';
import type { PermissionGate } from '../permissions/gate.js';
import { patientRequest } from '../turns/patient-request.js';
import type { ToolCallReporter } from '../turns/tool-call-reporter.js';
import { TurnStopped } from '../turns/turn-end.js';
import type { WaitingCall } from './waiting-call.js';

type Output = ToolResultPart['output'];

export interface Decisions {
  bus: Bus;
  turn: Pick<ClaimedTurn, 'turnId' | 'fencingToken'>;
  tools: ToolSet;
  gate: PermissionGate;
  reporter: ToolCallReporter;
  abort: AbortController;
  /** What led to the calls. */
  messages: ModelMessage[];
}

/**
 * Runs or refuses a call as a person decided, and returns its result for the model. An allowed call runs at most once,
 * whichever attempts come to it, and only as it was shown. Errors: the signal's reason, when the turn is stopped or another
 * worker's by now.
 */
export async function carryOut(call: WaitingCall, decided: DecidedCall, decisions: Decisions): Promise<ToolResultPart> {
  const { toolCallId, toolName } = call;
  const text = decided.editedArguments ?? call.ask.arguments;
  const input: unknown = JSON.parse(text);
  decisions.reporter.started({ toolCallId, toolName, input });
  const output =
    decided.status === 'allowed'
      ? await execute(call, decided, input, decisions)
      : refused(call, denialOf(decided), decisions);
  return { type: 'tool-result', toolCallId, toolName, output: withNotes(output, decided) };
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
  const problem = await start(decided, callHash(ask.tool, input), decisions);
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

function denialOf({ status, message }: DecidedCall): string {
  if (status === 'expired') return 'not run: nobody allowed it in time. Do not try it again unless you are asked to.';
  if (status === 'cancelled') return 'not run: it was cancelled.';
  return `not run: a person denied it${message ? `, and says: ${message}` : '. Do not try it again in another way.'}`;
}

/** What the model has to know of the decision beside the result. */
function withNotes(output: Output, { status, message, editedArguments }: DecidedCall): Output {
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
