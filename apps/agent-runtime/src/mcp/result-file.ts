/** Of base64: about 1 MB, which every provider takes several of. */
const MAX_CHARS = 1_400_000;
const MAX_TEXT_CHARS = 30_000;

export interface ResultFile {
  data: string;
  mediaType: string;
}

/** What a file is by its first bytes: servers name types wrongly, and providers refuse a file that is not what it says. */
const SIGNATURES: [string, (bytes: Buffer) => boolean][] = [
  ['image/png', (bytes) => bytes.subarray(0, 8).equals(Buffer.from('89504e470d0a1a0a', 'hex'))],
  ['image/jpeg', (bytes) => bytes.subarray(0, 3).equals(Buffer.from('ffd8ff', 'hex'))],
  ['image/gif', (bytes) => /^GIF8[79]a/.test(bytes.toString('latin1', 0, 6))],
  ['image/webp', (bytes) => bytes.toString('latin1', 0, 4) === 'RIFF' && bytes.toString('latin1', 8, 12) === 'WEBP'],
  ['application/pdf', (bytes) => bytes.toString('latin1', 0, 5) === '%PDF-'],
  ['audio/wav', (bytes) => bytes.toString('latin1', 0, 4) === 'RIFF' && bytes.toString('latin1', 8, 12) === 'WAVE'],
  ['audio/ogg', (bytes) => bytes.toString('latin1', 0, 4) === 'OggS'],
  ['audio/flac', (bytes) => bytes.toString('latin1', 0, 4) === 'fLaC'],
  [
    'audio/mp3',
    (bytes) => bytes.toString('latin1', 0, 3) === 'ID3' || (bytes[0] === 0xff && ((bytes[1] ?? 0) & 0xe6) === 0xe2),
  ],
];

/** A file that some model takes, the text that it is, or why it is neither. */
export function fileOf(data: string, named = ''): ResultFile | { text: string } | string {
  const base64 = data.replace(/^data:[^,]*;base64,/, '').replace(/\s+/g, '');
  if (base64.length > MAX_CHARS) return 'too large';
  if (!/^[A-Za-z0-9+/_-]+={0,2}$/.test(base64)) return 'its data is no base64';
  const bytes = Buffer.from(base64, base64.includes('-') || base64.includes('_') ? 'base64url' : 'base64');
  const [mediaType] = SIGNATURES.find(([, is]) => bytes.length >= 12 && is(bytes)) ?? [];
  if (mediaType) return { data: bytes.toString('base64'), mediaType };
  if (/^text\/|[/+](json|xml|yaml)\b/.test(named)) return { text: bytes.toString('utf8').slice(0, MAX_TEXT_CHARS) };
  return 'no model takes it';
}
