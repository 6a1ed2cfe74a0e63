import type { WebClient } from '@slack/web-api';
import { z } from 'zod';

/** Slack's clock and ours may differ. */
const SKEW_SECONDS = 120;
const PAGES = 5;
const PAGE = 200;

const Shown = z.looseObject({
  ts: z.string(),
  bot_id: z.string().optional(),
  files: z.array(z.looseObject({ name: z.string().nullish() })).optional(),
  metadata: z
    .looseObject({ event_type: z.string().optional(), event_payload: z.looseObject({ key: z.unknown() }).optional() })
    .optional(),
});
export type Shown = z.output<typeof Shown>;

/** Searches a channel or thread for a message of ours that an interrupted send may have left. */
export async function findShown(
  client: WebClient,
  { channel, thread_ts }: { channel: string; thread_ts?: string },
  since: Date | undefined,
  isIt: (message: Shown) => boolean,
): Promise<Shown | undefined> {
  const from = (since?.getTime() ?? Date.now() - 3_600_000) / 1_000 - SKEW_SECONDS;
  const common = { channel, oldest: from.toFixed(6), limit: PAGE, include_all_metadata: true };
  let cursor: string | undefined;
  for (let page = 0; page < PAGES; page++) {
    const at = { ...common, ...(cursor ? { cursor } : {}) };
    const answer = thread_ts
      ? await client.conversations.replies({ ...at, ts: thread_ts })
      : await client.conversations.history(at);
    for (const message of answer.messages ?? []) {
      const shown = Shown.safeParse(message);
      if (shown.success && isIt(shown.data)) return shown.data;
    }
    cursor = answer.response_metadata?.next_cursor;
    if (!cursor) return undefined;
  }
  return undefined;
}
