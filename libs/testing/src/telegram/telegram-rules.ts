/** What the Bot API answers instead of a result. */
export interface TelegramFault {
  error_code: number;
  description: string;
  parameters?: object;
}

/** https://core.telegram.org/bots/api#html-style */
const TAGS = new Set(['b', 'strong', 'i', 'em', 'u', 'ins', 's', 'strike', 'del', 'span', 'tg-spoiler', 'a']);
for (const tag of ['tg-emoji', 'code', 'pre', 'blockquote']) TAGS.add(tag);
const ENTITIES = /&(?!(?:lt|gt|amp|quot|#\d+|#x[\da-f]+);)/i;
/** Of MarkdownV2, to be escaped wherever they stand for themselves. */
const RESERVED = /(?<!\\)[[\]()~>#+\-=|{}.!]/;
const MOST_CHARACTERS = 4_096;

/** Groups and people that refuse the bot, as a real Telegram would say it. */
export class TelegramRules {
  private readonly refusing = new Map<string, TelegramFault>();
  private readonly deletedTopics = new Set<string>();

  /** As when a person blocks the bot, or a group throws it out. */
  refuse(chat: number | string, description = 'Forbidden: bot was blocked by the user', error_code = 403): void {
    this.refusing.set(String(chat), { error_code, description });
  }

  accept(chat: number | string): void {
    this.refusing.delete(String(chat));
  }

  deleteTopic(chat: number | string, topic: number): void {
    this.deletedTopics.add(`${chat}/${topic}`);
  }

  /** A group becomes a supergroup, whose id is the only one that still works. */
  upgrade(chat: number, to: number): void {
    const description = 'Bad Request: group chat was upgraded to a supergroup chat';
    this.refusing.set(String(chat), { error_code: 400, description, parameters: { migrate_to_chat_id: to } });
  }

  /** Why something cannot be sent to this place. */
  placeFault(chat: string, topic: string): TelegramFault | undefined {
    const refused = this.refusing.get(chat);
    if (refused) return refused;
    return this.deletedTopics.has(`${chat}/${topic}`) ? bad('message thread not found') : undefined;
  }

  /** Why this text cannot be shown. */
  textFault(text: string, mode: unknown): TelegramFault | undefined {
    let shown = text;
    if (mode === 'HTML') {
      const fault = htmlFault(text);
      if (fault) return bad(`can't parse entities: ${fault}`);
      shown = text.replace(/<[^>]*>/g, '').replace(/&(lt|gt|amp|quot|#\w+);/g, '_');
    } else if (mode === 'MarkdownV2' && RESERVED.test(text)) {
      return bad(`can't parse entities: Character '${RESERVED.exec(text)?.[0]}' is reserved and must be escaped`);
    } else if (mode !== undefined && mode !== 'MarkdownV2') return bad('unsupported parse_mode');
    if (shown.trim() === '') return bad('message text is empty');
    return shown.length > MOST_CHARACTERS ? bad('message is too long') : undefined;
  }
}

/** Why this keyboard cannot be shown: https://core.telegram.org/bots/api#inlinekeyboardbutton */
export function keyboardFault(markup: unknown): TelegramFault | undefined {
  if (markup === undefined) return undefined;
  const rows = (markup as { inline_keyboard?: unknown }).inline_keyboard;
  if (!Array.isArray(rows)) return bad('object expected as reply markup');
  for (const button of rows.flat() as Partial<TelegramButton>[]) {
    if (!button.text)
      return bad("can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard");
    const bytes = Buffer.byteLength(button.callback_data ?? '');
    if (bytes < 1 || bytes > 64) return bad('BUTTON_DATA_INVALID');
  }
  return undefined;
}

export interface TelegramButton {
  text: string;
  callback_data: string;
}

function bad(description: string): TelegramFault {
  return { error_code: 400, description: `Bad Request: ${description}` };
}

function htmlFault(html: string): string | undefined {
  const open: string[] = [];
  let end = 0;
  for (const { 0: whole, 1: closing, 2: tag = '', index } of html.matchAll(/<(\/?)([\w-]*)[^<>]*>/g)) {
    if (html.slice(end, index).includes('<')) return 'Unexpected start tag';
    end = index + whole.length;
    if (!TAGS.has(tag)) return `Unsupported start tag "${tag}" at byte offset ${index}`;
    if (!closing) open.push(tag);
    else if (open.pop() !== tag) return `Unmatched end tag at byte offset ${index}`;
  }
  if (html.slice(end).includes('<')) return 'Unclosed start tag';
  if (ENTITIES.test(html)) return 'Unexpected entity';
  return open.length > 0 ? `Can't find end tag corresponding to start tag "${open.at(-1)}"` : undefined;
}
