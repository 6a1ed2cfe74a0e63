import { RoostError } from '#lib/contracts';
import { z } from 'zod';
import { AgentParams } from '../http/params.js';

/** What is no id at all is answered as an unknown one is. */
const id = (of: string) =>
  z.string().refine((value) => {
    if (!z.uuid().safeParse(value).success) throw new RoostError('NOT_FOUND', `there is no such ${of}`);
    return true;
  });

export const ScheduleParams = AgentParams.extend({ scheduleId: id('schedule').describe('The schedule’s id.') });
export type ScheduleParams = z.output<typeof ScheduleParams>;
export const TriggerParams = AgentParams.extend({ triggerId: id('trigger').describe('The trigger’s id.') });
export type TriggerParams = z.output<typeof TriggerParams>;
export const PublicTriggerParams = z.looseObject({ triggerId: id('trigger').describe('The trigger’s id.') });
export type PublicTriggerParams = z.output<typeof PublicTriggerParams>;

export const scheduleKey = (params: ScheduleParams) => ({
  agentId: params.id,
  scheduleId: params.scheduleId,
});
export const triggerKey = (params: TriggerParams) => ({
  agentId: params.id,
  triggerId: params.triggerId,
});
