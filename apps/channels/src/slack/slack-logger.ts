import { LogLevel } from '@slack/web-api';

const nothing = () => undefined;

/** The SDKs log requests and their contents; what matters of it arrives as errors and states. */
export const quiet = {
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: nothing,
  setLevel: nothing,
  setName: nothing,
  getLevel: () => LogLevel.ERROR,
};
