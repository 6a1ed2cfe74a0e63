import { blocksOf, type SlackBlock } from './slack-blocks.js';

type Values = Record<string, string>;
type Answer = Record<string, unknown> & { ok: boolean };

export interface ShownInSlack {
  channel: string;
  thread: string | undefined;
  ts: string;
  botId: string;
  text: string;
  file: { name: string; bytes: Buffer } | undefined;
  metadata: object | undefined;
  blocks: SlackBlock[];
  edits: number;
}

/** What channels show of bots, with what Slack refuses: https://docs.slack.dev/reference/methods/chat.postMessage */
export class SlackHistory {
  readonly messages: ShownInSlack[] = [];
  /** Channels and people that refuse the bot: `not_in_channel`, `is_archived`, `channel_not_found`. */
  readonly refusing = new Map<string, string>();
  /** `channel/thread` whose first message was deleted. */
  readonly deletedThreads = new Set<string>();
  private lastTs = 0;

  /** Slack's time stamps are unique within a channel. */
  nextTs(): string {
    this.lastTs = Math.max(this.lastTs + 1, Date.now() * 1_000);
    return (this.lastTs / 1_000_000).toFixed(6);
  }

  post(botId: string, values: Values): Answer {
    const text = values['text'] ?? '';
    if (!/^[CDG]/.test(values['channel'] ?? '')) return { ok: false, error: 'channel_not_found' };
    const refused = this.refusing.get(values['channel'] ?? '');
    if (refused !== undefined) return { ok: false, error: refused };
    if (this.deletedThreads.has(`${values['channel']}/${values['thread_ts']}`))
      return { ok: false, error: 'thread_not_found' };
    const blocks = blocksOf(values['blocks']);
    if (blocks === 'invalid') return { ok: false, error: 'invalid_blocks' };
    if (text.trim() === '') return { ok: false, error: 'no_text' };
    if (text.length > 40_000) return { ok: false, error: 'msg_too_long' };
    const metadata = values['metadata'] === undefined ? undefined : (JSON.parse(values['metadata']) as object);
    const message = this.add(botId, values['channel'] ?? '', values['thread_ts'], {
      text,
      metadata,
      blocks: blocks ?? [],
    });
    return { ok: true, channel: message.channel, ts: message.ts };
  }

  share(botId: string, values: Values, file: { name: string; bytes: Buffer }): void {
    const { name, bytes } = file;
    this.add(botId, values['channel_id'] ?? '', values['thread_ts'], { text: '', file: { name, bytes } });
  }

  private add(
    botId: string,
    channel: string,
    thread: string | undefined,
    content: Partial<ShownInSlack>,
  ): ShownInSlack {
    const nothing = { file: undefined, metadata: undefined, blocks: [], text: '', edits: 0 };
    const message = { ...nothing, ...content, channel, thread, ts: this.nextTs(), botId };
    this.messages.push(message);
    return message;
  }

  update(values: Values): Answer {
    const message = this.messages.find(({ ts, channel }) => ts === values['ts'] && channel === values['channel']);
    const text = values['text'] ?? '';
    const refused = this.refusing.get(values['channel'] ?? '');
    if (refused !== undefined) return { ok: false, error: refused };
    if (!message) return { ok: false, error: 'message_not_found' };
    if (text.trim() === '') return { ok: false, error: 'no_text' };
    if (text.length > 4_000) return { ok: false, error: 'msg_too_long' };
    const blocks = blocksOf(values['blocks']);
    if (blocks === 'invalid') return { ok: false, error: 'invalid_blocks' };
    // "If you don't include this field, the message's previous blocks will be retained."
    if (blocks) message.blocks = blocks;
    message.text = text;
    message.edits += 1;
    return { ok: true, channel: message.channel, ts: message.ts, text };
  }

  list(channel: string, thread: string | undefined, oldest: string): Answer {
    const messages = this.messages
      .filter((message) => message.channel === channel && message.thread === thread && message.ts >= oldest)
      .map(({ ts, botId, text, file, metadata }) => ({
        type: 'message',
        ts,
        bot_id: botId,
        text,
        ...(file ? { files: [{ name: file.name }] } : {}),
        ...(metadata ? { metadata } : {}),
      }));
    return { ok: true, messages: messages.reverse(), has_more: false };
  }
}
