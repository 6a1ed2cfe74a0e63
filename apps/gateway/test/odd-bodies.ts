/** A JSON body that a client sends by mistake or to do harm. `isRefused`: no route may take it. */
export interface OddBody {
  name: string;
  bytes: string | Uint8Array;
  contentType?: string;
  isRefused: boolean;
  /** The field that the refusal names. */
  field?: string;
}

const bytesOf = (text: string, more: number[] = []) => new Uint8Array([...more, ...new TextEncoder().encode(text)]);
const nested = (open: string, levels: number, close: string) => `${open.repeat(levels)}0${close.repeat(levels)}`;
/** Odd bodies around one that a route accepts. */
export function oddBodies(example: object): OddBody[] {
  const text = JSON.stringify(example);
  const rest = text === '{}' ? '}' : `,${text.slice(1)}`;
  const refused = (name: string, bytes: string | Uint8Array, field?: string): OddBody => ({
    name,
    bytes,
    isRefused: true,
    ...(field === undefined ? {} : { field }),
  });
  return [
    refused('an unclosed list, 200,000 deep', '['.repeat(200_000), 'body'),
    refused('a list, 3,000 deep', nested('[', 3_000, ']'), 'body'),
    refused('an object, 20,000 deep', nested('{"a":', 20_000, '}'), 'body'),
    refused('a field, 3,000 deep', `{"x":${nested('[', 3_000, ']')}${rest}`, 'body'),
    refused('a field of metadata, 5,000 deep', `{"metadata":${nested('{"a":', 5_000, '}')}${rest}`, 'body'),
    refused('a field of configuration, 5,000 deep', `{"configuration":${nested('{"a":', 5_000, '}')}${rest}`, 'body'),
    refused('25,000 items', `{"x":[${'0,'.repeat(25_000)}0]${rest}`, 'body'),
    refused('25,000 keys', `{${Array.from({ length: 25_000 }, (_, n) => `"k${n}":0`).join()}}`, 'body'),
    refused('__proto__', `{"__proto__":{"name":"polluted"}${rest}`, '__proto__'),
    refused('__proto__ in an escape', `{"\\u005f_proto__":{"name":"polluted"}${rest}`, '__proto__'),
    refused('__proto__ inside', `{"odd":{"__proto__":{"polluted":true}}${rest}`, 'odd.__proto__'),
    refused('constructor', `{"constructor":{"prototype":{"polluted":true}}${rest}`),
    refused('null', 'null'),
    refused('a list', '[]'),
    refused('a number', '5'),
    refused('a text', '"x"'),
    refused('a truth', 'true'),
    refused('a number beyond all', '1e999'),
    refused('half a body', text.slice(0, -1), 'body'),
    refused('text after the body', `${text}x`, 'body'),
    refused('bytes that are no UTF-8', bytesOf(text, [0xff, 0xfe]), 'body'),
    refused('NUL bytes', bytesOf(text, [0]), 'body'),
    refused('UTF-16', new Uint8Array(Buffer.from(text, 'utf16le')), 'body'),
    refused('a huge key', `{"${'k'.repeat(50_000)}":0${rest}`),
    refused('U+0000 in a key', `{"k\\u0000":0${rest}`, 'k\uFFFD'),
    { name: 'another charset', bytes: text, contentType: 'application/json; charset=utf-16', isRefused: true },
    { name: 'a charset', bytes: text, contentType: 'application/json; charset=UTF-8', isRefused: false },
    { name: 'a byte order mark', bytes: bytesOf(text, [0xef, 0xbb, 0xbf]), isRefused: false },
    { name: 'nothing', bytes: '', isRefused: false },
    { name: 'each key twice', bytes: text === '{}' ? '{}' : `${text.slice(0, -1)}${rest}`, isRefused: false },
    ...oddLeaves(example),
  ];
}

/** The example with each of its texts and numbers replaced in turn. */
function oddLeaves(example: object): OddBody[] {
  const MARK = '@@leaf@@';
  return leavesOf(example, []).flatMap(({ path, value }): OddBody[] => {
    const field = path.join('.');
    const marked = JSON.stringify(replaced(example, path, MARK)).split(`"${MARK}"`);
    const put = (json: string) => marked.join(json);
    const isText = typeof value === 'string';
    return [
      ...(isText
        ? [
            { name: `U+0000 in ${field}`, bytes: put('"a\\u0000b"'), isRefused: true, field },
            { name: `half a pair in ${field}`, bytes: put('"a\\ud800"'), isRefused: true, field },
          ]
        : []),
      { name: `a number beyond double in ${field}`, bytes: put('1e999'), isRefused: true },
      { name: `a tiny number in ${field}`, bytes: put('1e-99999'), isRefused: isText },
      { name: `a long number in ${field}`, bytes: put('123456789012345678901234567890'), isRefused: isText },
      { name: `null in ${field}`, bytes: put('null'), isRefused: false },
      { name: `a long text in ${field}`, bytes: put(`"${'x'.repeat(120_000)}"`), isRefused: false },
      { name: `controls in ${field}`, bytes: put('"\\u0001\\u001b[2J\\u202e\\ufeff\\u0085"'), isRefused: false },
      { name: `nothing in ${field}`, bytes: put('""'), isRefused: false },
    ];
  });
}

function leavesOf(value: unknown, path: string[]): { path: string[]; value: unknown }[] {
  if (typeof value !== 'object' || value === null) return [{ path, value }];
  return Object.entries(value).flatMap(([key, child]) => leavesOf(child, [...path, key]));
}

function replaced(value: unknown, [key, ...rest]: string[], by: unknown): unknown {
  if (key === undefined) return by;
  if (Array.isArray(value))
    return value.map((item, n) => (String(n) === key ? replaced(item, rest, by) : (item as unknown)));
  const object = value as Record<string, unknown>;
  return { ...object, [key]: replaced(object[key], rest, by) };
}
