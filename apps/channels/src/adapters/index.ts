import { PLATFORM_NAMES } from '#lib/contracts';
import type { z } from 'zod';
import type { ChannelAdapter } from './channel-adapter.js';
import type { Platform, Surroundings } from './platform.js';

/** Every chat platform of the contracts, each from the folder of its name: that entry is all of its registration. */
const platforms = await Promise.all(
  PLATFORM_NAMES.map(async (name) => {
    const folder = (await import(/* @vite-ignore */ `../${name}/index.js`)) as { platform: Platform };
    return folder.platform;
  }),
);

/** What the platforms read from the environment. */
export const platformEnvironment: z.ZodRawShape = Object.assign({}, ...platforms.map(({ environment }) => environment));

export function createAdapters(config: Surroundings & Record<string, unknown>): ChannelAdapter[] {
  return platforms.map((platform) => platform.adapter(config));
}
