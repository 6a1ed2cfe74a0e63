import { must } from './wire.js';

const MAGIC: Record<string, (bytes: Buffer) => boolean> = {
  'image/png': (bytes) => bytes.subarray(0, 4).toString('latin1') === '\u0089PNG',
  'image/jpeg': (bytes) => bytes.readUInt16BE(0) === 0xffd8,
  'image/gif': (bytes) => bytes.subarray(0, 4).toString('latin1') === 'GIF8',
  'image/webp': (bytes) => bytes.subarray(8, 12).toString('latin1') === 'WEBP',
};

/** An inline file is of a type that the service takes, is base64, is not too large and is of the type that it claims. */
export function checkMedia(mediaType: unknown, data: unknown, where: string, types: string[], maxBytes: number): void {
  must(
    typeof mediaType === 'string' && types.includes(mediaType),
    `${where}: unsupported media type ${String(mediaType)}`,
  );
  must(typeof data === 'string' && data !== '' && /^[A-Za-z0-9+/]+={0,2}$/.test(data), `${where}: invalid base64 data`);
  const bytes = Buffer.from(data, 'base64');
  must(bytes.length <= maxBytes, `${where}: file exceeds the maximum of ${maxBytes} bytes`);
  const isOfType = MAGIC[mediaType];
  must(!isOfType || (bytes.length >= 12 && isOfType(bytes)), `${where}: the data is no ${mediaType}`);
}

/** `data:image/png;base64,…` */
export function dataUrl(url: unknown): { mediaType: string; data: string } | undefined {
  const match = /^data:([^;,]+);base64,(.*)$/s.exec(String(url));
  return match ? { mediaType: match[1] ?? '', data: match[2] ?? '' } : undefined;
}
