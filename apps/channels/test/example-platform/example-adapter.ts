import type {
  BotCredentials,
  ChannelAdapter,
  Connection,
  ConnectionEvents,
  InboundMessage,
} from '../../src/adapters/channel-adapter.js';

/** `GET /inbox` holds people's messages as `InboundMessage`, `POST /sent` shows one. A place is a person. */
export class ExampleAdapter implements ChannelAdapter {
  // Until its line is in the contracts the name is none that they know.
  readonly platform = 'example' as ChannelAdapter['platform'];
  readonly isIdempotent = false;
  readonly editEveryMs = 1_000;
  readonly maxInboundBytes = 0;
  readonly maxOutboundBytes = 0;
  readonly commandMark = '/';
  readonly hasReplies = false;
  readonly sharedBot = undefined;

  constructor(private readonly url: string) {}

  botIdOf({ token }: BotCredentials): string | undefined {
    return /^example-(\w+)$/.exec(token)?.[1];
  }

  chatOf(place: string): string {
    return place;
  }

  isGroup(): boolean {
    return false;
  }

  linkInstructions(code: string): string {
    return `Send "/link ${code}" within 10 minutes.`;
  }

  format(markdown: string): string[] {
    return markdown.trim() ? [markdown] : [];
  }

  connect(_credentials: BotCredentials, events: ConnectionEvents): Connection {
    const { url } = this;
    let texts = 0;
    const poll = async () => {
      const answer = await fetch(`${url}/inbox`);
      for (const message of (await answer.json()) as InboundMessage[]) await events.onMessage(message);
      events.onState({ health: 'connected' });
    };
    const timer = setInterval(() => void poll().catch(() => events.onState({ health: 'connecting' })), 50);
    const show = async (place: string, id: string, text: string) => {
      await fetch(`${url}/sent`, { method: 'POST', body: JSON.stringify({ place, id, text }) });
      return id;
    };
    return {
      send: (place, part) => show(place, String(++texts), part),
      edit: async (place, id, part) => void (await show(place, id, part)),
      sendFile: () => Promise.reject(new Error('this platform has no files')),
      download: () => Promise.reject(new Error('this platform has no files')),
      showTyping: () => Promise.resolve(),
      close: () => Promise.resolve(clearInterval(timer)),
    };
  }
}
