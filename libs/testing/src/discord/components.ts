import { invalidForm } from './api-error.js';

export interface Button {
  type: 2;
  style: number;
  label: string;
  custom_id: string;
}
export interface ActionRow {
  type: 1;
  components: Button[];
}

const MOST_ROWS = 5;
const MOST_BUTTONS = 5;

/** The buttons of a message, checked as Discord checks them: https://docs.discord.com/developers/components/reference */
export function componentsOf(body: Record<string, unknown>): ActionRow[] | undefined {
  const rows = body['components'];
  if (rows === undefined) return undefined;
  if (!Array.isArray(rows)) throw refused('components', 'LIST_TYPE_CONVERT', 'Only iterables may be used in a list');
  if (rows.length > MOST_ROWS)
    throw refused('components', 'BASE_TYPE_BAD_LENGTH', 'Must be between 1 and 5 in length.');
  const ids = new Set<string>();
  for (const row of rows as ActionRow[]) {
    const { type, components } = row;
    if (type !== 1) throw refused('components', 'UNION_TYPE_CHOICES', 'Value of field "type" must be one of (1,).');
    if (!Array.isArray(components) || components.length < 1 || components.length > MOST_BUTTONS)
      throw refused('components', 'BASE_TYPE_BAD_LENGTH', 'Must be between 1 and 5 in length.');
    for (const button of components) checkButton(button, ids);
  }
  return rows as ActionRow[];
}

function checkButton({ type, style, label, custom_id: id }: Button, ids: Set<string>): void {
  if (type !== 2) throw refused('type', 'UNION_TYPE_CHOICES', 'Value of field "type" must be one of (2,).');
  if (![1, 2, 3, 4].includes(style)) throw refused('style', 'BASE_TYPE_CHOICES', 'Value must be one of {1, 2, 3, 4}.');
  if (typeof label !== 'string' || label.length < 1 || label.length > 80)
    throw refused('label', 'BASE_TYPE_BAD_LENGTH', 'Must be between 1 and 80 in length.');
  if (typeof id !== 'string' || id.length < 1 || id.length > 100)
    throw refused('custom_id', 'BASE_TYPE_BAD_LENGTH', 'Must be between 1 and 100 in length.');
  if (ids.has(id))
    throw refused('custom_id', 'COMPONENT_CUSTOM_ID_DUPLICATED', 'Component custom id cannot be duplicated');
  ids.add(id);
}

function refused(field: string, code: string, message: string) {
  return invalidForm({ [field]: { code, message } });
}
