import { buildCommand } from '@stricli/core';
import { type Cli, type Common, common } from '../cli.js';

export const usage = buildCommand({
  docs: { brief: 'What the account may have of each thing, and has' },
  parameters: { flags: common },
  async func(this: Cli, flags: Common) {
    const quotas = await this.connect(flags).account.quotas();
    if (flags.json) return this.out.json({ quotas });
    const rows = quotas.map(({ name, limit, used }) => [used ?? 'unknown', limit, name]);
    this.out.table(['USED', 'OF', 'QUOTA'], rows, 'None.');
  },
});
