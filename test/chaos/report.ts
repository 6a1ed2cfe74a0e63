import { MODELS } from './misbehaving-model.js';
import type { ChaosOptions, ChaosResult } from './run-chaos.js';

const MAX_FINDINGS = 20;

/** The ledger and the faults as text. */
export function describeResult({ durationMs }: Pick<ChaosOptions, 'durationMs'>, result: ChaosResult): string {
  const { verdict, faults, messages, reconnects, retaken, model } = result;
  const counts = new Map<string, number>();
  for (const { kind, target } of faults) counts.set(`${kind} ${target}`, (counts.get(`${kind} ${target}`) ?? 0) + 1);
  const kills = faults.filter(({ kind }) => kind !== 'freeze').length;
  const at = (quantile: number) =>
    Math.round(verdict.latenciesMs[Math.floor(verdict.latenciesMs.length * quantile)] ?? 0);
  return [
    '',
    `Faults (${kills} kill -9 in ${Math.round(durationMs / 1_000)} s): ${[...counts].map(([name, count]) => `${name} ×${count}`).join(', ')}`,
    `Messages: ${messages} sent, ${retaken} given to more than one turn, event streams resumed ${reconnects} times`,
    ...(model ? [describeModel(model)] : []),
    `Accepted to answered: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, longest ${Math.round(verdict.latenciesMs.at(-1) ?? 0)} ms`,
    `Ledger: ${verdict.ok} ok, ${verdict.lost} lost, ${verdict.duplicate} duplicate, ${verdict.unknown} unknown, ${verdict.stuck} stuck, ${verdict.failed} failed, ${verdict.misordered} out of order`,
    ...(model?.refusals ?? []).slice(0, MAX_FINDINGS).map((why) => `  the model refused a request: ${why}`),
    ...verdict.findings.slice(0, MAX_FINDINGS).map((finding) => `  ${finding}`),
    ...(verdict.findings.length > MAX_FINDINGS ? [`  … and ${verdict.findings.length - MAX_FINDINGS} more`] : []),
  ].join('\n');
}

const describeModel = ({ requests, disturbed, refusals }: NonNullable<ChaosResult['model']>) =>
  `Model: ${requests} requests over ${MODELS.length} wires, ${disturbed} disturbed, ${refusals.length} such as no provider takes`;
