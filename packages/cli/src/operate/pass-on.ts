import { runOfClone } from './clone.js';

/**
 * Commands whose arguments are those of a program of the clone, which knows and explains them itself: what comes after
 * is not read here.
 */
const PASSED_ON: Record<string, { script: string; what: string }> = {
  up: { script: 'tools/start.mjs', what: 'roost up' },
  admin: { script: 'tools/admin.mjs', what: 'roost admin' },
};

/** Undefined where the command is one of ours. Errors: CliError. */
export function passedOn([command = '', ...args]: readonly string[]): Promise<number> | undefined {
  const known = Object.hasOwn(PASSED_ON, command) ? PASSED_ON[command] : undefined;
  return known && runOfClone(known.script, args, known.what);
}
