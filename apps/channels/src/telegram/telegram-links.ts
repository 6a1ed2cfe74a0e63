import { addressBeside, truncate } from '../inbound/context-text.js';

/** Of one address. A longer one is marked as cut. */
const MAX_ADDRESS = 4_000;
/** What all addresses add to a text, so that it stays a message that an agent takes: labels beyond it stand alone. */
const MAX_ADDED = 40_000;

/** `put` in the place of what stands from `from` to `to`, in UTF-16 code units: what Telegram counts, too. */
export interface Edit {
  from: number;
  to: number;
  put: string;
}

interface TextLink {
  offset: number;
  length: number;
  url: string;
}

/**
 * The addresses of links whose text is another, behind that text: https://core.telegram.org/bots/api#messageentity, of
 * type `text_link`. All other entities are in the text as it is. Of two that overlap the first counts; what is not
 * within the text, or is not as documented, is left out.
 */
export function addressesIn(text: string, entities: unknown): Edit[] {
  const links = Array.isArray(entities) ? entities.filter(isTextLink).toSorted((a, b) => a.offset - b.offset) : [];
  const found: Edit[] = [];
  let [end, added] = [0, 0];
  for (const { offset, length, url } of links) {
    const label = text.slice(offset, offset + length);
    // Ill-formed where one end is within a character.
    if (offset < end || label.length !== length || !label.isWellFormed()) continue;
    end = offset + length;
    const address = addressBeside(label.trim(), url);
    if (address === undefined) continue;
    const put = ` (${truncate(address, MAX_ADDRESS)})`;
    if ((added += put.length) > MAX_ADDED) break;
    const at = offset + label.trimEnd().length;
    found.push({ from: at, to: at, put });
  }
  return found;
}

/** A text with the addresses of its links. */
export const withAddresses = (text: string, entities: unknown): string => edited(text, addressesIn(text, entities));

/** All edits are of `text` as it is given; what is put within what is taken out stands behind that. */
export function edited(text: string, edits: Edit[]): string {
  let [written, done] = ['', 0];
  for (const { from, to, put } of edits.toSorted((a, b) => a.from - b.from)) {
    written += text.slice(done, from) + put;
    done = Math.max(done, to);
  }
  return written + text.slice(done);
}

function isTextLink(entity: unknown): entity is TextLink {
  const { type, offset, length, url } = (entity ?? {}) as Partial<Record<keyof TextLink | 'type', unknown>>;
  return type === 'text_link' && isCount(offset) && isCount(length) && length > 0 && typeof url === 'string' && !!url;
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
