/** The wall clock of IANA zones: which instant a reading is, and when a zone's days and months begin. */
export * from './calendar.js';
export * from './zone-clock.js';
