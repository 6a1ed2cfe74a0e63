import type { z } from 'zod';
import type { BotCredentials, ChannelAdapter } from './channel-adapter.js';

/** What every platform may know of the installation. */
export interface Surroundings {
  /** Where the gateway is reached from outside. */
  PUBLIC_URL?: string | undefined;
}

/** What the `index.ts` of a platform's folder exports as `platform`. */
export interface Platform<Environment extends z.ZodRawShape = z.ZodRawShape> {
  /** What it reads from this service's environment. */
  environment: Environment;
  /** Its one adapter, made when the service starts. */
  adapter(settings: z.output<z.ZodObject<Environment>> & Surroundings): ChannelAdapter;
}

/** A bot whose token may not be set; tokens that are empty are none. */
export function botOf(token: string | undefined, more: Omit<BotCredentials, 'token'> = {}): BotCredentials | undefined {
  return token ? { token, ...more } : undefined;
}
