import { buildCommand } from '@stricli/core';
import { type Cli, type Common, common } from '../cli.js';
import { EXIT } from '../failure.js';
import { clean } from '../output/clean.js';
import { checkAccount, checkMachine, checkServices, type Finding } from './checks.js';

const MARKS = { ok: '✓', warn: '!', fail: '✗' };

export const doctor = buildCommand({
  docs: {
    brief: 'Check what a Roost needs, and say what to do',
    fullDescription:
      'This machine, the services, the key, the model, quotas and agents in error. Exit code 1: something fails.',
  },
  parameters: { flags: common },
  async func(this: Cli, flags: Common) {
    const findings = [...checkMachine(), ...(await checkRoost(this, flags))];
    if (flags.json) this.out.json(findings);
    else for (const finding of findings) this.out.line(lineOf(this, finding));
    if (findings.some(({ state }) => state === 'fail')) this.process.exitCode = EXIT.failed;
  },
});

async function checkRoost(cli: Cli, flags: Common): Promise<Finding[]> {
  try {
    const profile = cli.profile(flags);
    const roost = cli.connect(flags, 0);
    const services = await checkServices(roost, profile);
    const isThere = services.some(({ check, state }) => check === 'api' && state === 'ok');
    return [...services, ...(isThere ? await checkAccount(roost) : [])];
  } catch (error) {
    const found = clean(error instanceof Error ? error.message : String(error));
    return [{ check: 'api', state: 'fail', found, remedy: 'roost up, or roost login --url URL' }];
  }
}

function lineOf({ out }: Cli, { check, state, found, remedy }: Finding): string {
  const line = `${MARKS[state]} ${check.padEnd(12)} ${found}`;
  return remedy === undefined ? line : `${line}\n  ${out.bold('→')} ${remedy}`;
}
