import type { ApprovalDecision as Decision, ChatPlatform, OwnBot } from '#lib/contracts';
import type { Readable } from 'node:stream';
import type { z } from 'zod';

export type ApprovalDecision = z.output<typeof Decision>;

type MoreThanToken<Own> = Own extends string ? never : Exclude<keyof Own, 'botToken'>;
/** What a bot signs in with: its token, and what some platforms need besides. Kept in memory only, never logged. */
export type BotCredentials = { token: string } & { [Field in MoreThanToken<OwnBot>]?: string | undefined };

/** A file that came with a message; its bytes are fetched later, by `Connection.download`. */
export interface InboundFile {
  /** Whatever `download` needs to find it again; opaque outside the adapter, stored as JSON. */
  reference: string;
  name: string;
  /** As the platform states; null when it does not. */
  sizeBytes: number | null;
}

/** A decision that a button stands for, about the approval of this id. */
export interface CardPress {
  approvalId: string;
  /** What is decided, or which of a question's answers is given, from 0. */
  decision: ApprovalDecision | `answer_${number}`;
}
export type CardButton = CardPress & { label: string };

/** A message as it came from a chat platform. Plain JSON: it is stored before anything is done with it. */
export interface InboundMessage {
  /** The same when the platform delivers the event again. */
  eventId: string;
  /** Where to answer; opaque outside the adapter, without spaces. */
  place: string;
  isDirect: boolean;
  /** In groups: the bot was mentioned or replied to, or this is a command to it. */
  isAddressed: boolean;
  sender: {
    id: string;
    username: string | null;
    displayName: string;
    teamId?: string;
    /** Who wrote it stays hidden behind a group or channel. */
    isChat?: true;
  };
  /** Without the mention of the bot. A command begins with `/`, however the platform writes it. */
  text: string;
  /**
   * What came with the text and is no text of the sender: the quoted message, where it was forwarded from, a location,
   * a poll. One bounded line or paragraph each (`described`); the agent reads them before the text.
   */
  context?: string[];
  /** The message of the bot that this is a reply to, as `Connection.send` gave it; its quote is the first of `context`. */
  replyTo?: string;
  /** Messages with the same album are one message to people: they are joined before the agent reads them. */
  album?: string;
  files: InboundFile[];
  /** A button of a card was pressed. */
  press?: CardPress;
  /** How a slash command or press wants its own answer (`Connection.answer`); absent: the answer is sent to `place`. */
  answerTo?: string;
}

export type ConnectionState = { health: 'connecting' | 'connected' } | { health: 'failed'; reason: string };

export interface OutboundFile {
  name: string;
  sizeBytes: number;
  bytes: Readable;
}

/** Names one thing to be shown over all tries. */
export interface SendKey {
  key: string;
  /** It was tried before, perhaps with success: on idempotent platforms, first check, or let the platform check, whether it is shown. */
  isRepeat: boolean;
  /** The platform refused the markup: show the text that it stands for. */
  isPlain?: boolean;
  /** Not tried before this; for looking where it may have been shown. */
  since?: Date;
  /** Shown beneath it. A platform without buttons leaves them out: the text names commands, too. */
  buttons?: CardButton[];
}

/** What a platform posted to the gateway, unparsed. */
export interface WebhookRequest {
  headers: Record<string, string>;
  body: Buffer;
}
export interface WebhookAnswer {
  status: number;
  contentType: string;
  body: string;
}

/** Keeps a text of the platform's choice for whoever connects this bot next, on this replica or another. */
export interface ConnectionMemory {
  load(): Promise<string | undefined>;
  save(text: string): Promise<void>;
}

export interface ConnectionEvents {
  /** Resolves when the message is on disk, within milliseconds: acknowledge it to the platform after that, not before. */
  onMessage(message: InboundMessage): Promise<void>;
  /** A chat has another id from now on. */
  onMoved?(chat: string, to: string): Promise<void>;
  /** An event is not as the platform documents it, and left out. */
  onUnreadable?(error: unknown): void;
  /** `failed` is final for these credentials (revoked, wrong, a missing scope): do not try again by yourself. */
  onState(state: ConnectionState): void;
  /** For platforms whose sessions can be resumed. */
  memory?: ConnectionMemory;
}

/**
 * One bot's connection to its platform. A 429 of what is shown is a DeliveryError with `retryAfterMs`, for other chats are
 * not to wait behind it; the SDK's own queue may wait for up to half a minute.
 */
export interface Connection {
  /**
   * Shows one part that `format` made; gives the platform's message id. With a key that was used before on an
   * idempotent platform: shows nothing new and gives the message that is there (with whatever text). Errors: DeliveryError.
   */
  send(place: string, part: string, key: SendKey): Promise<string>;
  /** Replaces a message's text; the same text again is fine. With `isCard` its buttons are taken away. Errors: DeliveryError. */
  edit(place: string, messageId: string, part: string, isPlain?: boolean, isCard?: boolean): Promise<void>;
  /** Uploads one file; gives an id of what is shown. `bytes` is read once. Errors: DeliveryError. */
  sendFile(place: string, file: OutboundFile, key: SendKey): Promise<string>;
  /** The bytes of a file that came with a message. Errors: DeliveryError (`failed` when it is gone). */
  download(file: InboundFile): Promise<Readable>;
  /** Answers a slash command where its `answerTo` points. Absent: the adapter never sets `answerTo`. Errors: DeliveryError. */
  answer?(answerTo: string, part: string): Promise<void>;
  /** The chat above a thread that is a place of its own; absent: `chatOf` knows it. */
  withoutThread?(place: string): Promise<string | undefined>;
  /** A hint, repeated every few seconds while a turn runs; failures are of no consequence. */
  showTyping(place: string): Promise<void>;
  /** Takes what the platform posted to the gateway; verifies that it was the platform. Absent: never configured so. */
  receive?(request: WebhookRequest): Promise<WebhookAnswer>;
  /** Resolves when nothing is received any more. */
  close(): Promise<void>;
}

/** What a chat platform is to Roost. `Platform` registers one. */
export interface ChannelAdapter {
  readonly platform: ChatPlatform;
  /** Sending again with the same key shows nothing new. Without it what was interrupted is `uncertain`. */
  readonly isIdempotent: boolean;
  /** A message that is being written is edited at most this often. */
  readonly editEveryMs: number;
  /** Largest file that can be fetched from people, and shown to them. */
  readonly maxInboundBytes: number;
  readonly maxOutboundBytes: number;
  /** The platform-wide bot, from this service's environment. */
  readonly sharedBot: BotCredentials | undefined;
  /** Stays the same when the bot's token is rotated; without `:`. Undefined for text that is no token. */
  botIdOf(credentials: BotCredentials): string | undefined;
  /** The place without its thread or topic. */
  chatOf(place: string): string;
  /** Many people read this place, so no one person's link stands for it. */
  isGroup(place: string): boolean;
  /** What a command begins with that is typed as a message: Slack keeps a slash to itself. */
  readonly commandMark: '/' | '!';
  /** Messages can be replies to others (`InboundMessage.replyTo`). In groups of a platform without them the bot is mentioned. */
  readonly hasReplies: boolean;
  /** What to send to the bot, in the terms of this platform. */
  linkInstructions(code: string): string;
  /**
   * Converts Markdown to what the platform shows, in parts that it accepts. Split at paragraphs or code fences, which
   * are closed and re-opened; no text is lost. Nothing for blank text.
   */
  format(markdown: string): string[];
  /** Receives and sends for one bot. Does not throw for a bad token: `onState` reports it. */
  connect(credentials: BotCredentials, events: ConnectionEvents): Connection;
}

export { DeliveryError } from './delivery-error.js';

/** Injection token of the list of adapters. */
export const ADAPTERS = Symbol('channels:adapters');
