import type { ChatPlatform } from '#lib/contracts';

/** A message as it came from a chat platform. */
export interface InboundMessage {
  /** The same when the platform delivers the event again. */
  eventId: string;
  /** Where to answer; opaque outside the adapter, without spaces. */
  place: string;
  isDirect: boolean;
  /** In groups: the bot was mentioned or replied to. */
  isAddressed: boolean;
  sender: { id: string; username: string | null; displayName: string };
  text: string;
  /** It carried something other than text. */
  hasAttachment: boolean;
}

export type ConnectionState = { health: 'connecting' | 'connected' } | { health: 'failed'; reason: string };

/** One bot's connection to its platform. */
export interface Connection {
  /** Shows one part; gives the platform's message id. Errors: DeliveryError. */
  send(place: string, part: string): Promise<string>;
  /** Replaces a message's text; the same text again is fine. Errors: DeliveryError. */
  edit(place: string, messageId: string, part: string): Promise<void>;
  /** A hint; failures are of no consequence. */
  showTyping(place: string): Promise<void>;
  /** Resolves when nothing is received any more. */
  close(): Promise<void>;
}

/** What a chat platform is to Roost. A new platform is one folder with one of these, and a line in adapters/index.ts. */
export interface ChannelAdapter {
  readonly platform: ChatPlatform;
  /** Stays the same when the bot's token is rotated; undefined for text that is no token. */
  botIdOf(token: string): string | undefined;
  /** Many people read this place, so no one person's link stands for it. */
  isGroup(place: string): boolean;
  /** Converts Markdown to what the platform shows, in parts that it accepts. Nothing for blank text. */
  format(markdown: string): string[];
  /**
   * Receives and sends for one bot. `onMessage` resolves when the message is safe: until then the platform keeps it.
   * Does not throw for a bad token: `onState` says so.
   */
  connect(
    token: string,
    onMessage: (message: InboundMessage) => Promise<void>,
    onState: (state: ConnectionState) => void,
  ): Connection;
}

/** `retry`: certainly not shown, try again · `failed`: never will be · `uncertain`: it may have been shown. */
export class DeliveryError extends Error {
  override readonly name = 'DeliveryError';

  constructor(
    readonly outcome: 'retry' | 'failed' | 'uncertain',
    message: string,
    readonly retryAfterMs = 1_000,
  ) {
    super(message);
  }
}
