import { Bus } from '#lib/bus';
import {
  answerApproval,
  Approval,
  approvalListQuery,
  decideApproval,
  getApproval,
  listApprovals,
  NewAnswer,
  NewDecision,
  RoostError,
  wire,
} from '#lib/contracts';
import { Controller, Get, Post } from '@nestjs/common';
import { z } from 'zod';
import { Body, Param, Query } from '../http/arguments.js';
import { Endpoint, Tag } from '../http/endpoint.js';

/** What is no id at all is answered as an unknown one is. */
const ApprovalParams = z.looseObject({
  id: z
    .string()
    .refine((id) => {
      if (!z.uuid().safeParse(id).success) throw new RoostError('NOT_FOUND', 'there is no such approval');
      return true;
    })
    .describe('The approval’s id.'),
});
type ApprovalParams = z.output<typeof ApprovalParams>;
const ListQuery = wire(approvalListQuery);
type ListQuery = z.output<typeof ListQuery>;
type NewDecision = z.output<typeof NewDecision>;
type NewAnswer = z.output<typeof NewAnswer>;

/** docs/guide/approvals.md */
@Tag('Approvals')
@Controller('v1/approvals')
export class ApprovalsController {
  constructor(private readonly bus: Bus) {}

  @Get()
  @Endpoint({
    access: 'account',
    summary: 'List approvals',
    description:
      'Calls of tools that the permissions of the account’s agents ask about, and questions of agents and of MCP servers ' +
      '(`kind` is `question`), newest first: `status=pending` are those that wait for a person. Arguments longer than 16 KiB are left out here. Decided ones are kept as long as runs, for 90 days ' +
      'unless the operator sets otherwise.',
    response: listApprovals.output,
  })
  list(@Query(ListQuery) query: ListQuery) {
    return this.bus.request(listApprovals, query);
  }

  @Get(':id')
  @Endpoint({
    access: 'account',
    summary: 'Get an approval',
    description: 'The approval with its whole arguments, as they will run.',
    response: Approval,
    errors: ['NOT_FOUND'],
  })
  get(@Param(ApprovalParams) { id }: ApprovalParams) {
    return this.bus.request(getApproval, { approvalId: id });
  }

  @Post(':id/decide')
  @Endpoint({
    access: 'account',
    summary: 'Decide an approval',
    description:
      'The first decision counts: a later one is 409, and `details` says who has decided and when. When nothing else of the ' +
      'run waits, the run goes on within a moment, on whichever worker is free. What runs is what was shown: the call is ' +
      'compared with `hash` before it runs, and runs at most once. With `arguments` it runs with those instead. ' +
      'A question is answered by `answer`, or denied here. `allow_always` also puts a rule first in the agent’s `configuration.permissions`, as a new version of its configuration.',
    response: Approval,
    errors: ['NOT_FOUND', 'CONFLICT'],
    example: { decision: 'deny', message: 'Not on a Friday.' },
  })
  decide(@Param(ApprovalParams) { id }: ApprovalParams, @Body(NewDecision) body: NewDecision) {
    return this.bus.request(decideApproval, { approvalId: id, ...body });
  }

  @Post(':id/answer')
  @Endpoint({
    access: 'account',
    summary: 'Answer a question',
    description:
      'For an approval of the kind `question`. The answer is a text, one of `choices`, an object of `schema`, or `true` once ' +
      '`url` was opened; anything else is 400, and `details` names the field. The first answer counts: a later one is 409. The ' +
      'run goes on within a moment. Who does not want to answer denies it by `decide`, with a `message` to the agent.',
    response: Approval,
    errors: ['NOT_FOUND', 'CONFLICT'],
    example: { answer: 'The blue one.' },
  })
  answer(@Param(ApprovalParams) { id }: ApprovalParams, @Body(NewAnswer) body: NewAnswer) {
    return this.bus.request(answerApproval, { approvalId: id, ...body });
  }
}
