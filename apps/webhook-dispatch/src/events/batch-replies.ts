/**
 * Characters of JSON that the replies of one turn take in all its webhooks together. A batch of messages has one webhook
 * a message and each holds the turn's replies: without a bound 100 short messages and one long answer would be stored,
 * signed and sent as hundreds of megabytes. A webhook of a single message holds any answer of usual length whole.
 */
export const MAX_TURN_REPLY_CHARACTERS = 4_000_000;
/** What an entry takes besides its text: id, names, punctuation. */
const ENTRY_CHARACTERS = 120;

interface Reply {
  id: string;
  content: string;
}

export interface BoundedReplies {
  reply: (Reply & { truncated?: true }) | null;
  replies: (Reply & { truncated?: true })[];
  /** Left out at the end; absent when there is none. They are in the agent's messages. */
  replies_omitted?: number;
}

/** The replies of a turn as each of its `webhooks` holds them: from the first on, the last that fits in part cut. */
export function boundReplies(all: Reply[], webhooks: number): BoundedReplies {
  // The first reply is in a body twice.
  let left = Math.floor(MAX_TURN_REPLY_CHARACTERS / webhooks / 2);
  const replies: BoundedReplies['replies'] = [];
  for (const { id, content } of all) {
    left -= ENTRY_CHARACTERS;
    if (left < 0) break;
    const text = cutToJson(content, left);
    replies.push({ id, content: text, ...(text.length < content.length ? { truncated: true } : {}) });
    left -= JSON.stringify(text).length;
  }
  const omitted = all.length - replies.length;
  return { reply: replies[0] ?? null, replies, ...(omitted > 0 ? { replies_omitted: omitted } : {}) };
}

/** The longest beginning whose JSON has at most `most` characters; no pair of surrogates is cut in two. */
function cutToJson(text: string, most: number): string {
  // No character takes less than one; what is beyond is not looked at.
  if (text.length <= most && JSON.stringify(text).length <= most) return text;
  let [low, high] = [0, Math.min(text.length, most)];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (JSON.stringify(text.slice(0, middle)).length <= most) low = middle;
    else high = middle - 1;
  }
  const isPairCut = /[\uD800-\uDBFF]$/.test(text.slice(low - 1, low)) && /^[\uDC00-\uDFFF]/.test(text.slice(low));
  return text.slice(0, isPairCut ? low - 1 : low);
}
