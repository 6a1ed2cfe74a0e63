/** The stream that keeps the events of all services. */
export const EVENTS_STREAM = 'EVENTS';
