import {
  AgentUnavailableError,
  AuthenticationError,
  BalanceExhaustedError,
  ConnectionError,
  MessageFailedError,
  NotFoundError,
  PermissionError,
  RoostError,
  ValidationError,
} from '@roost-ai/sdk';
import {
  AliasNotFoundError,
  ArgumentScannerError,
  FlagNotFoundError,
  formatMessageForArgumentScannerError,
} from '@stricli/core';
import { inLine } from './output/clean.js';

/** What a command ends with; `roost --help` lists them. */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  notFound: 3,
  notPermitted: 4,
  noAnswer: 5,
  notAnswered: 6,
  interrupted: 130,
} as const;

/** Longest message of an error in one line. */
const MAX_CHARACTERS = 1_000;

/** Something that the person at the terminal can mend; the message says how. */
export class CliError extends Error {
  override readonly name = 'CliError';

  constructor(
    message: string,
    readonly exitCode: number = EXIT.failed,
  ) {
    super(message);
  }
}

export function exitCodeOf(error: unknown): number {
  if (error instanceof CliError) return error.exitCode;
  if (error instanceof ConnectionError) return EXIT.noAnswer;
  if (error instanceof MessageFailedError || error instanceof AgentUnavailableError) return EXIT.notAnswered;
  if (error instanceof BalanceExhaustedError) return EXIT.notAnswered;
  if (error instanceof NotFoundError) return EXIT.notFound;
  if (error instanceof AuthenticationError || error instanceof PermissionError) return EXIT.notPermitted;
  if (error instanceof ValidationError) return EXIT.usage;
  return EXIT.failed;
}

/** One line: what happened, what to do, and what finds it in the server's log. */
export function lineOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return `roost: ${inLine(`${message}${remedyOf(error)}`, MAX_CHARACTERS)}${requestOf(error)}`;
}

/** What the parser could not read. */
export function lineOfWrongUse(error: unknown): string {
  if (!(error instanceof ArgumentScannerError)) return lineOf(error);
  const message = formatMessageForArgumentScannerError(error, {});
  // Most likely a text that was not quoted: roost send AGENT run: ls -la
  const isUnknown = error instanceof AliasNotFoundError || error instanceof FlagNotFoundError;
  const remedy = isUnknown ? '. If it is no flag but a part of the text, quote the text or write -- before it' : '';
  return `roost: ${inLine(`${message}${remedy}`, MAX_CHARACTERS)}`;
}

function remedyOf(error: unknown): string {
  if (error instanceof AuthenticationError) return '. Sign in with: roost login';
  if (error instanceof ConnectionError) return '. Is it running? Start one with: roost up; or look with: roost doctor';
  return '';
}

const requestOf = (error: unknown) =>
  error instanceof RoostError && error.requestId !== undefined ? ` (request ${inLine(error.requestId, 100)})` : '';
