/** Shorter ones would be found in texts that have nothing to do with them. */
const minLength = 4;
const mark = '[roost: removed]';

/** The forms in which a secret's value is looked for, longest first: itself and what programs make of it to send it. */
export function needlesOf(secrets: string[]): Buffer[] {
  const forms = secrets.filter((secret) => secret.length >= minLength).flatMap(formsOf);
  return [...new Set(forms)]
    .filter((form) => form.length >= minLength)
    .sort((a, b) => b.length - a.length)
    .map((form) => Buffer.from(form));
}

function formsOf(secret: string): string[] {
  const bytes = Buffer.from(secret);
  const hex = bytes.toString('hex');
  const base64 = [0, 1, 2].flatMap((offset) => {
    const form = base64Within(bytes, offset);
    return [form, form.replaceAll('+', '-').replaceAll('/', '_')];
  });
  const escaped = JSON.stringify(secret).slice(1, -1);
  const html = secret
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
  const percent = encodeURIComponent(secret);
  return [
    secret,
    ...base64,
    percent,
    percent.replaceAll(/%[0-9A-F]{2}/g, (code) => code.toLowerCase()),
    percent.replaceAll('%20', '+'),
    escaped,
    escaped.replaceAll('/', '\\/'),
    html,
    hex,
    hex.toUpperCase(),
  ];
}

/** The base64 of a value that begins after so many other bytes, without the characters that depend on the bytes around it. */
function base64Within(bytes: Buffer, offset: number): string {
  const text = Buffer.concat([Buffer.alloc(offset), bytes])
    .toString('base64')
    .replace(/=+$/, '');
  const first = Math.ceil((offset * 8) / 6);
  const whole = Math.floor(((offset + bytes.length) * 8) / 6);
  return text.slice(first, whole);
}

/** In the place of a secret: as long as it, so that lengths and frames around it stay right. */
export function markOf(length: number): string {
  return mark.slice(0, length).padEnd(length, '*');
}

/** For what is short: headers, reasons. */
export function scrubText(text: string, needles: Buffer[]): string {
  let bytes: Buffer | undefined;
  for (const needle of needles) {
    bytes ??= Buffer.from(text);
    // Behind each, not where it was: a secret may read as the mark does.
    for (let at = bytes.indexOf(needle); at >= 0; at = bytes.indexOf(needle, at + needle.length))
      bytes.write(markOf(needle.length), at);
  }
  return bytes ? bytes.toString() : text;
}
