import { fillTemplate } from '#lib/template';
import { checkTemplate, MAX_MESSAGE_CHARACTERS } from '../templates/check-template.js';
import { ZoneClock } from '#lib/time-zones';

const VARIABLES = ['date', 'time', 'schedule.name'];

/** Errors: VALIDATION_ERROR naming the first variable that schedules do not have, or too many placeholders. */
export function checkScheduleTemplate(template: string): void {
  checkTemplate(template, (name) => VARIABLES.includes(name), VARIABLES.join(', '));
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
  return fillTemplate(schedule.messageTemplate, (name) => values.get(name), MAX_MESSAGE_CHARACTERS).text;
}
