import { addressBeside, MAX_PARTS, quotedText } from '../inbound/context-text.js';

/** Our commands. Slack keeps texts that begin with a slash to itself, so `!stop` is a command too. */
const COMMAND = /^!(?=(?:link|unlink|status|stop|new|approve|deny|answer|help|start|roost)\b)/i;

/**
 * What a person reads, from https://docs.slack.dev/messaging/formatting-message-text. Slack's own markup is always in
 * angle brackets; what people type is escaped, so nothing of theirs is taken for it.
 */
export function plainText(text: string, me: string, names: Map<string, string> = new Map()): string {
  return text
    .replaceAll(new RegExp(`<@${me}(\\|[^>]*)?>`, 'g'), '')
    .replace(/<([^<>]+)>/g, (_, inner: string) => wordsOf(inner, names))
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&')
    .trim()
    .replace(COMMAND, '/');
}

/** People who are mentioned without a name, each once. */
export function mentionedIn(text: string): string[] {
  return [...new Set([...text.matchAll(/<@([UW][A-Z0-9]+)>/g)].map(([, id]) => id ?? ''))];
}

function wordsOf(inner: string, names: Map<string, string>): string {
  const [target = '', ...labels] = inner.split('|');
  const name = labels.join('|');
  const plainName = name.replace(/^[@#]/, '');
  switch (target[0]) {
    case '@':
      return `@${plainName || names.get(target.slice(1)) || target.slice(1)}`;
    case '#':
      return `#${plainName || target.slice(1)}`;
    case '!':
      return specialOf(target.slice(1), name);
  }
  const address = addressBeside(name, target);
  if (name === '') return address ?? '';
  return address === undefined ? name : `${name} (${address})`;
}

/** `<!here>`, `<!subteam^ID|@name>`, `<!date^time^format|what is shown without it>` */
function specialOf(target: string, name: string): string {
  const [kind = '', value = ''] = target.split('^');
  if (kind === 'date') return name || new Date(Number(value) * 1_000 || 0).toISOString();
  return `@${name.replace(/^@/, '') || value || kind}`;
}

interface Shared {
  author_name?: string | null | undefined;
  title?: string | null | undefined;
  text?: string | null | undefined;
  fallback?: string | null | undefined;
  from_url?: string | null | undefined;
}

/** Forwarded messages and cards of apps, as what they say. */
export function sharedIn(attachments: Shared[], me: string): string[] {
  return attachments.slice(0, MAX_PARTS).flatMap(({ author_name: author, title, text, fallback, from_url: from }) => {
    const texts = [title, text || fallback].filter(Boolean).map((part) => plainText(part ?? '', me));
    if (texts.length === 0 && !from) return [];
    return [quotedText(author ? `Shared, from ${author}` : 'Shared', [...texts, from].filter(Boolean).join('\n'))];
  });
}
