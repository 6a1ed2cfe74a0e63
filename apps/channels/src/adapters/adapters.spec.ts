import { PLATFORM_NAMES } from '#lib/contracts';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { createAdapters, platformEnvironment } from './index.js';

it('finds an adapter in the folder of each platform', () => {
  const adapters = createAdapters(z.object(platformEnvironment).parse({}));
  expect(adapters.map(({ platform }) => platform)).toEqual(PLATFORM_NAMES);
});
