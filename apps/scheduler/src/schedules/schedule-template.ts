import { RoostError } from '#lib/contracts';
import { fillPlaces, placesOf } from '#lib/template';
import { ZoneClock } from '../slots/zone-clock.js';

const VARIABLES = ['date', 'time', 'schedule.name'];

/** Errors: VALIDATION_ERROR naming the first variable that schedules do not have. */
export function checkScheduleTemplate(template: string): void {
  const unknown = placesOf(template).find((name) => !VARIABLES.includes(name));
  if (unknown === undefined) return;
  const message = `unknown variable '${unknown.slice(0, 100)}'; there are ${VARIABLES.join(', ')}`;
  throw new RoostError('VALIDATION_ERROR', `message_template: ${message}`, [
    { field: 'message_template', reason: 'unknown_variable', message },
  ]);
}

/** The message of a slot: date and time are the slot's own, in the schedule's zone, not those of a late start. */
export function renderSchedule(
  schedule: { name: string; messageTemplate: string; timezone: string },
  at: Date,
): string {
  const wall = new Date(ZoneClock.of(schedule.timezone).wallAt(at.getTime())).toISOString();
  const values = new Map([
    ['date', wall.slice(0, 10)],
    ['time', wall.slice(11, 19)],
    ['schedule.name', schedule.name],
  ]);
  // Long names may push a template over what a message may hold.
  return fillPlaces(schedule.messageTemplate, (name) => values.get(name)).slice(0, 100_000);
}
