import { PLACEHOLDER_PREFIX } from '#lib/contracts';

/** In any case, so that one in another case is refused and not sent on as text. */
const anyPlaceholder = new RegExp(`${PLACEHOLDER_PREFIX}[A-Za-z0-9]*`, 'gi');

/** All that looks like a placeholder. */
export function placeholdersIn(text: string): string[] {
  return text.match(anyPlaceholder) ?? [];
}

/** Also those whose characters are percent-encoded, however often. */
export function placeholdersInUrl(text: string): string[] {
  const found = placeholdersIn(text);
  for (let [current, round] = [text, 0]; round < 3; round += 1) {
    const decoded = current.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
    if (decoded === current) break;
    found.push(...placeholdersIn(decoded));
    current = decoded;
  }
  return [...new Set(found)];
}

/** The text inside of `Basic …`, which is where git and others put a password; undefined for anything else. */
export function basicText(value: string): string | undefined {
  const [, encoded] = /^\s*basic\s+([A-Za-z0-9+/=_-]+)\s*$/i.exec(value) ?? [];
  return encoded === undefined ? undefined : Buffer.from(encoded, 'base64').toString('latin1');
}

export function basicValue(text: string): string {
  return `Basic ${Buffer.from(text, 'latin1').toString('base64')}`;
}
