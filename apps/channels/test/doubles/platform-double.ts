import type { AgentBots, ChatPlatform } from '#lib/contracts';

/** A local platform with one bot, as people in their own chats with it see it. People are numbers. */
export interface PlatformDouble {
  platform: ChatPlatform;
  /** For the service's environment. */
  variables: Record<string, string>;
  /** The agent's bot there, as lifecycle returns it. */
  bot: Partial<AgentBots>;
  /** The same bot for the service's environment, as the one that agents without their own share. */
  sharedBot: Record<string, string>;
  /** Sends a text; what it returns delivers the same event again. A command begins with `/`. */
  say(person: number, text: string): Promise<() => Promise<void>>;
  /** Sends something of a message's kind that is not as the platform documents it. */
  garble(person: number): Promise<void>;
  /** What the person is shown, oldest first. */
  shown(person: number): string[];
  /** What the person's own chat shows last, with buttons by their labels and what each carries. */
  lastCard(person: number): ShownCard | undefined;
  /** All texts of that chat so, oldest first. */
  cards(person: number): ShownCard[];
  /** Names and contents of the files that the person is shown. */
  files(person: number): { name: string; text: string }[];
  /** Somebody presses a button that the last card in the chat of `owner` has or had. */
  press(owner: number, carried: string, presser?: number): Promise<Press>;
  /** What is shown, without the platform's marks. */
  visible(part: string): string;
  /** Cuts the connections by which the bot receives. */
  dropSockets(): void;
  /** The next edits fail with a 5xx. */
  failEdits(times: number): void;
  /** The next send fails with a 5xx, and shows nothing. */
  failNextSend(): void;
  /** The next send is answered with a 429 that lasts an hour; returns what ends that. */
  limitNextSend(): () => void;
  /** How often the bot tried to send. */
  sends(): number;
  /** The next edit is answered with a 429 that lasts an hour. */
  limitNextEdit(): void;
  /** How often the bot tried to edit. */
  edits(): number;
  /** The person blocks the bot, until the call of what it returns. */
  block(person: number): () => void;
  /** Deletes what the person was shown last. */
  deleteLast(person: number): void;
  /** Opens a thread or topic in a new group, where the person asks the bot something. */
  thread(person: number, question: string): Promise<DoubleThread>;
  revoke(): void;
  stop(): Promise<void>;
}

export interface ShownCard {
  text: string;
  buttons: Record<string, string>;
  edits: number;
}

export interface Press {
  /** The same event once more. */
  again(): Promise<void>;
  /** What the presser alone is shown. */
  answers(): string[];
}

export interface DoubleThread {
  delete(): Promise<void>;
  /** What the group shows of the bot, outside the thread. */
  shownAbove(): string[];
  /** Somebody writes there, not to the bot. A command begins with `/`. */
  say(person: number, text: string): Promise<void>;
  /** Somebody replies to what the bot showed there last, or mentions it where there are no replies. */
  answer(person: number, text: string): Promise<void>;
  /** All texts of the bot there, oldest first. */
  cards(): ShownCard[];
}
