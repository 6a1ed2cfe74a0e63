/** What bots here show: https://docs.slack.dev/reference/block-kit/blocks */
export type SlackBlock = { type: 'section'; text: SlackText } | { type: 'actions'; elements: SlackButton[] };
interface SlackText {
  type: 'plain_text' | 'mrkdwn';
  text: string;
}
export interface SlackButton {
  type: 'button';
  text: SlackText;
  action_id: string;
  value?: string;
  style?: 'primary' | 'danger';
}

const MOST_BLOCKS = 50;

/** A list of blocks within Slack's limits; undefined where there is none. */
export function blocksOf(text: string | undefined): SlackBlock[] | undefined | 'invalid' {
  if (text === undefined) return undefined;
  try {
    const blocks = JSON.parse(text) as SlackBlock[];
    const isValid = Array.isArray(blocks) && blocks.length <= MOST_BLOCKS && blocks.every(isBlock) && hasOwnIds(blocks);
    return isValid ? blocks : 'invalid';
  } catch {
    return 'invalid';
  }
}

function isBlock(block: SlackBlock): boolean {
  if (block.type === 'section') return isText(block.text, 3_000);
  if (block.type !== 'actions') return false;
  return block.elements.length >= 1 && block.elements.length <= 25 && block.elements.every(isButton);
}

function isButton({ type, text, action_id: id, value = '', style }: SlackButton): boolean {
  if (type !== 'button' || text.type !== 'plain_text' || !isText(text, 75)) return false;
  return (
    id.length >= 1 && id.length <= 255 && value.length <= 2_000 && [undefined, 'primary', 'danger'].includes(style)
  );
}

const isText = ({ type, text }: SlackText, most: number) =>
  ['plain_text', 'mrkdwn'].includes(type) && text.length >= 1 && text.length <= most;

/** "Each `action_id` should be unique among all other elements of the block." */
function hasOwnIds(blocks: SlackBlock[]): boolean {
  return blocks.every((block) => {
    const ids = block.type === 'actions' ? block.elements.map(({ action_id: id }) => id) : [];
    return new Set(ids).size === ids.length;
  });
}
