import { Handles } from '#lib/bus';
import { accountOf, type CallContext } from '#lib/call-context';
import { getRunSteps, sumRuns } from '#lib/contracts';
import { Controller } from '@nestjs/common';
import type { z } from 'zod';
import { AttemptsRepository } from './attempts.repository.js';

@Controller()
export class RunsController {
  constructor(private readonly attempts: AttemptsRepository) {}

  @Handles(getRunSteps)
  steps(run: z.output<typeof getRunSteps.input>, context: CallContext) {
    return this.attempts.ofRun(accountOf(context), run);
  }

  @Handles(sumRuns)
  async sums({ agentId, runIds }: z.output<typeof sumRuns.input>, context: CallContext) {
    return { usage: await this.attempts.sums(accountOf(context), agentId, runIds) };
  }
}
