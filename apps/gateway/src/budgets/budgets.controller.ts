import { Bus } from '#lib/bus';
import {
  Budget,
  BudgetChange,
  createBudget,
  deleteBudget,
  getBudget,
  listBudgets,
  NewBudget,
  RoostError,
  updateBudget,
} from '#lib/contracts';
import { Controller, Delete, Get, Patch, Post } from '@nestjs/common';
import { z } from 'zod';
import { Body, Param, Query } from '../http/arguments.js';
import { Endpoint, Tag } from '../http/endpoint.js';

/** What is no id at all is answered as an unknown one is. */
const BudgetParams = z.looseObject({
  id: z
    .string()
    .refine((id) => {
      if (!z.uuid().safeParse(id).success) throw new RoostError('NOT_FOUND', 'there is no such budget');
      return true;
    })
    .describe('The budget’s id.'),
});
type BudgetParams = z.output<typeof BudgetParams>;
const ListQuery = listBudgets.input;
type ListQuery = z.output<typeof ListQuery>;

@Tag('Usage')
@Controller('v1/budgets')
export class BudgetsController {
  constructor(private readonly bus: Bus) {}

  @Post()
  @Endpoint({
    access: 'account',
    summary: 'Create a budget',
    description:
      'Caps what an agent, or all agents of the account together, may use in a day or month of a time zone: tokens or money. ' +
      'What was used in the period so far counts. At `threshold_percent` the webhook `budget.threshold` is sent, once a ' +
      'period; at the limit no further model step starts (the one that runs ends), messages wait with ' +
      '`waiting_for.reason: budget`, and go on when the period turns or the limit is raised. Under a budget in money a ' +
      'model whose price is not known does not run: its messages fail with `MODEL_PRICE_UNKNOWN`. At most 10 budgets of an ' +
      'agent, and 10 of the account.',
    response: Budget,
    status: 201,
    errors: ['NOT_FOUND', 'CONFLICT'],
    example: { limit_usd: '25', period: 'month', timezone: 'Europe/Berlin' },
  })
  create(@Body(NewBudget) body: NewBudget) {
    return this.bus.request(createBudget, body);
  }

  @Get()
  @Endpoint({
    access: 'account',
    summary: 'List budgets',
    description: 'All budgets of the account and its agents with what is used of each, the oldest first.',
    response: listBudgets.output,
  })
  list(@Query(ListQuery) query: ListQuery) {
    return this.bus.request(listBudgets, query);
  }

  @Get(':id')
  @Endpoint({
    access: 'account',
    summary: 'Get a budget',
    description: 'The budget with what is used of it in this period.',
    response: Budget,
    errors: ['NOT_FOUND'],
  })
  get(@Param(BudgetParams) { id }: BudgetParams) {
    return this.bus.request(getBudget, { budgetId: id });
  }

  @Patch(':id')
  @Endpoint({
    access: 'account',
    summary: 'Change a budget',
    description:
      'Fields that are not named stay. A higher limit lets messages that wait go on at once; with another unit, period or ' +
      'time zone what was used is counted anew.',
    response: Budget,
    errors: ['NOT_FOUND'],
    example: { limit_usd: '50' },
  })
  update(@Param(BudgetParams) { id }: BudgetParams, @Body(BudgetChange) body: BudgetChange) {
    return this.bus.request(updateBudget, { budgetId: id, ...body });
  }

  @Delete(':id')
  @Endpoint({
    access: 'account',
    summary: 'Delete a budget',
    description: 'Messages that waited for it go on.',
    response: deleteBudget.output,
    errors: ['NOT_FOUND'],
  })
  remove(@Param(BudgetParams) { id }: BudgetParams) {
    return this.bus.request(deleteBudget, { budgetId: id });
  }
}
