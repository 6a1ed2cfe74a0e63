import type { finishWriteStream } from '#lib/contracts';
import type { z } from 'zod';

/** What a finished transfer into the workspace has made. */
export type Finished = z.output<typeof finishWriteStream.output>;
