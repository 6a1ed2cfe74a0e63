import { ChatPlatform } from '#lib/contracts';

export interface ConversationPlace {
  platform: ChatPlatform;
  botId: string;
  place: string;
}

/** `telegram:<bot>:<place>`: where the replies of a conversation go can be read off its id. */
export function conversationIdOf({ platform, botId, place }: ConversationPlace): string {
  return `${platform}:${botId}:${place}`;
}

export function placeOf(conversationId: string): ConversationPlace | undefined {
  const [platform, botId, ...place] = conversationId.split(':');
  const known = ChatPlatform.safeParse(platform);
  return known.success && botId && place.length > 0
    ? { platform: known.data, botId, place: place.join(':') }
    : undefined;
}
