import {
  type APIActionRowComponent,
  type APIButtonComponentWithCustomId,
  type APIInteraction,
  ButtonStyle,
  ComponentType,
  InteractionType,
} from 'discord-api-types/v10';
import type { CardButton, InboundMessage } from '../adapters/channel-adapter.js';
import { pressId, pressOfId } from '../adapters/press-id.js';
import { placeOf, senderOf } from './discord-message.js';

/** https://docs.discord.com/developers/components/reference#action-row */
const MAX_IN_ROW = 5;

const STYLES: Partial<Record<CardButton['decision'], AnswerStyle>> = {
  allow_once: ButtonStyle.Success,
  allow_always: ButtonStyle.Secondary,
  deny: ButtonStyle.Danger,
};
type AnswerStyle = APIButtonComponentWithCustomId['style'];

/** https://docs.discord.com/developers/components/reference#button */
export function componentsOf(buttons: CardButton[]): APIActionRowComponent<APIButtonComponentWithCustomId>[] {
  const components = buttons.map((button) => ({
    type: ComponentType.Button as const,
    style: STYLES[button.decision] ?? ButtonStyle.Secondary,
    label: button.label,
    custom_id: pressId(button),
  }));
  const rows = Array.from({ length: Math.ceil(components.length / MAX_IN_ROW) }, (_, row) =>
    components.slice(row * MAX_IN_ROW, (row + 1) * MAX_IN_ROW),
  );
  return rows.map((inRow) => ({ type: ComponentType.ActionRow, components: inRow }));
}

/** A press of one of our buttons, or undefined for any other interaction. */
export function pressOf(interaction: APIInteraction): InboundMessage | undefined {
  if (interaction.type !== InteractionType.MessageComponent) return undefined;
  const press = pressOfId(interaction.data.custom_id);
  const user = interaction.member?.user ?? interaction.user;
  if (!press || !user) return undefined;
  return {
    eventId: interaction.id,
    place: placeOf(interaction.guild_id, interaction.channel.id),
    isDirect: interaction.guild_id === undefined,
    isAddressed: true,
    sender: senderOf(user, interaction.member?.nick),
    text: '',
    files: [],
    press,
    answerTo: `${interaction.application_id}/${interaction.token}/press`,
  };
}
