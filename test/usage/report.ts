import { sumOf, type UsageResult } from './run-usage.js';

const MAX_FINDINGS = 20;

/** Whether everything that was told is booked once, but for what died with its worker, and shown as it is booked. */
export function isExact({ findings, refusals, report, booked, budgetTokens }: UsageResult): boolean {
  return (
    findings.length === 0 &&
    refusals.length === 0 &&
    report.steps === booked.steps &&
    report.input === booked.input &&
    report.output === booked.output &&
    budgetTokens === booked.input + booked.output
  );
}

export function describeBooks(result: UsageResult): string {
  const { told, booked, report, budgetTokens, lostWithWorker, kills, requests, answered, failed } = result;
  const { findings, refusals } = result;
  const line = (name: string, { steps, input, output }: UsageResult['told']) =>
    `${name.padEnd(28)} ${String(steps).padStart(6)} steps  ${String(input).padStart(9)} in  ${String(output).padStart(8)} out`;
  return [
    '',
    `${answered} turns answered, ${failed} given up, ${requests} calls of the model`,
    `kill -9: ${kills.filter(({ target }) => target === 'agent-runtime').length} of agent-runtime, ${kills.filter(({ target }) => target === 'messaging').length} of messaging`,
    line('told by the provider', told),
    line('lost with a killed worker', sumOf(lostWithWorker)),
    line('in the ledger', booked),
    line('in the report', report),
    `${'counted by the budget'.padEnd(28)} ${budgetTokens} tokens`,
    ...[...refusals.map((why) => `the model refused a request: ${why}`), ...findings].slice(0, MAX_FINDINGS),
    isExact(result) ? 'To the token.' : `${findings.length} findings.`,
  ].join('\n');
}
