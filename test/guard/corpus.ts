import { isIPv4 } from 'node:net';
import type { Answer, Names } from '../closed-network/name-server.js';
import { denied4, denied6, open4, open6 } from './addresses.js';
import { notations } from './notations.js';

export interface DeniedCase {
  kind: string;
  url: string;
}

export interface OpenCase {
  kind: string;
  url: string;
  /** Where the connection must arrive. */
  addresses: readonly string[];
  /** The Host header that must arrive. */
  host: string;
}

/** The zone of all the corpus' names: nobody else's, for they never leave the closed network. */
const ZONE = 'guard-corpus.org';

const names: Record<string, readonly Answer[]> = {};
let count = 0;

/** A new name with these answers. */
function name(...turns: Answer[]): string {
  count += 1;
  const made = `n${count}.${ZONE}`;
  names[made] = turns;
  return made;
}

function chain(length: number, addresses: readonly string[]): string {
  return length === 0 ? name(addresses) : name({ cname: chain(length - 1, addresses) });
}

const bracketed = (address: string) => (isIPv4(address) ? address : `[${address}]`);

function writtenAddresses(): DeniedCase[] {
  return [
    ...Object.entries(notations).flatMap(([kind, write]) =>
      denied4.map((address) => ({ kind, url: `http://${write(address)}/` })),
    ),
    ...denied6.flatMap((address) => [
      { kind: 'IPv6', url: `http://[${address}]/` },
      { kind: 'IPv6 in upper case', url: `https://[${address.toUpperCase()}]:8443/` },
      { kind: 'IPv6 with a zone', url: `http://[${address}%25shut0]/` },
      { kind: 'IPv6 with a user name', url: `http://8.8.8.8@[${address}]:8080/` },
    ]),
  ];
}

function namesOfDenied(): DeniedCase[] {
  const all = [...denied4, ...denied6];
  const url = (host: string) => `http://${host}/`;
  return [
    ...all.map((address) => ({ kind: 'a name', url: url(name([address])) })),
    ...all.map((address, index) => ({ kind: 'CNAME chain', url: url(chain(1 + (index % 8), [address])) })),
    ...all.map((address) => ({ kind: 'last of mixed answers', url: url(name([...open4.slice(0, 5), address])) })),
    ...all.map((address) => ({
      kind: 'first of mixed answers',
      url: url(name([address, open4[0] ?? '', open6[2] ?? ''])),
    })),
    ...denied6.map((address) => ({ kind: 'bad AAAA beside a good A', url: url(name([open4[4] ?? '', address])) })),
    ...denied4.map((address) => ({ kind: 'bad A beside a good AAAA', url: url(name([open6[2] ?? '', address])) })),
    ...denied4.map((address) => ({ kind: 'name with a dot', url: url(`${name([address])}.`) })),
    ...denied4.slice(0, 20).map((address) => ({ kind: 'name over TLS', url: `https://${name([address])}:8443/` })),
  ];
}

/** Texts that say one host to a careless reader and another to a parser, and names of the local network. */
function tricks(): DeniedCase[] {
  const texts = [
    ...['http:10.0.0.1', 'http:/10.0.0.1', 'http:///10.0.0.1/', 'http:\\\\10.0.0.1\\', 'http://\\10.0.0.1/'],
    ...['http://8.8.8.8:80@10.0.0.1:8080/', 'http://8.8.8.8%23@10.0.0.1/', 'http://8.8.8.8%2f@10.0.0.1/'],
    ...[
      'http://10.0.0.1\\@8.8.8.8/',
      'http://10.0.0.1/@8.8.8.8/',
      'http://10.0.0.1?@8.8.8.8/',
      'http://10.0.0.1#@8.8.8.8/',
    ],
    ...['http://10.0.0.1:80:80/', 'http://10.0.0.1:0/', 'http://10.0.0.1:65536/', 'http://10.0.0.1 .example.org/'],
    ...['http://10.0.0.1%00.example.org/', 'http://10.0.0.1\u0000/', 'http://10.0\t.0.1/', 'http://10.0.0\n.1/'],
    ...[
      'http://1\u00ad0.0.0.1/',
      'http://10.0.0.1\u2060/',
      'http://10．0．0．1/',
      'http://①⓪.⓪.⓪.①/',
      'http://⑩.0.0.1/',
    ],
    ...[
      'http://٠١٠.٠.٠.١/',
      'http://１２７。１/',
      'http://127.1/',
      'http://0/',
      'http://0x0/',
      'http://00/',
      'http://0x/',
    ],
    ...[
      'http://127.0.0.1../',
      'http://.127.0.0.1/',
      'http://127.0.0.1.0/',
      'http://256.256.256.256/',
      'http://4294967296/',
    ],
    ...[
      'http://127.0.0.0x1/',
      'http://0x7f.0x0.0x0.0x1/',
      'http://017700000001/',
      'http://127.0x1/',
      'http://0b1111111.1/',
    ],
    ...[
      'http://localhost/',
      'http://LOCALHOST/',
      'http://localhost./',
      'http://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ/',
      'http://a.localhost/',
      'http://l%6fcalhost/',
    ],
    ...[
      'http://localhost.localdomain/',
      'http://printer/',
      'http://router.lan/',
      'http://db.internal/',
      'http://nas.local/',
    ],
    ...[
      'http://metadata.google.internal/computeMetadata/v1/',
      'http://metadata/',
      'http://x.home.arpa/',
      'http://wpad/',
    ],
    ...[
      'http://[::1]/',
      'http://[0:0:0:0:0:0:0:1]/',
      'http://[::0001]/',
      'http://[::127.0.0.1]/',
      'http://[::1%25lo]/',
    ],
    ...[
      'http://[::ffff:0x7f000001]/',
      'http://[::1].example.org/',
      'http://[v1.::1]/',
      'http://[::ffff:127.1]/',
      'http://::1/',
    ],
    ...[
      'ftp://8.8.8.8/',
      'file:///etc/passwd',
      'gopher://10.0.0.1/',
      'javascript:alert(1)',
      'ws://10.0.0.1/',
      'data:,x',
    ],
    `http://10.0.0.1/${'x'.repeat(65_536)}`,
    `http://${'a.'.repeat(2_000)}org/`,
    ...[
      '',
      ' ',
      'http://',
      'http://#',
      'http://?',
      'http://%',
      'http://[',
      'http://[]/',
      '//10.0.0.1/',
      '10.0.0.1',
      'nonsense',
    ],
  ];
  return texts.map((url) => ({ kind: 'trick', url }));
}

/** Refused for their form alone, where a whole URL is given: the addresses in them are open ones. */
const refusedForms: readonly string[] = [
  ...['http://8.8.8.8:22/', 'http://8.8.8.8:25/', 'http://8.8.8.8:0/', 'http://8.8.8.8:1023/', 'http://8.8.8.8:79/'],
  ...['http://user:secret@8.8.8.8/', 'http://user@8.8.8.8/', 'http://8.8.8.8/ ', 'http://8.8.8.8/\n'],
  `http://8.8.8.8/${'x'.repeat(65_536)}`,
];

function openCases(): OpenCase[] {
  const all = [...open4, ...open6];
  const literal = (address: string, scheme: string, port: string): OpenCase => {
    const host = bracketed(address);
    return {
      kind: `${scheme}${port} address`,
      url: `${scheme}://${host}${port}/`,
      addresses: [address],
      host: `${host}${port}`,
    };
  };
  const named = (kind: string, host: string, addresses: readonly string[], scheme = 'http', port = ''): OpenCase => ({
    kind,
    url: `${scheme}://${host}${port}/`,
    addresses,
    host: `${host.toLowerCase()}${port}`,
  });
  const idn = `xn--bcher-kva.${ZONE}`;
  names[idn] = [[open4[3] ?? '']];
  return [
    ...all.map((address) => literal(address, 'http', '')),
    ...all.filter((_, index) => index % 3 === 0).map((address) => literal(address, 'https', ':8443')),
    ...all.map((address, index) =>
      named('a name', name([address]), [address], index % 2 ? 'https' : 'http', index % 4 === 1 ? ':8443' : ''),
    ),
    ...open4.slice(0, 8).map((address, index) => named('CNAME chain', chain(index + 1, [address]), [address])),
    ...open4.slice(0, 8).map((address) => named('a name with a dot', `${name([address])}.`, [address])),
    ...open4
      .slice(8, 16)
      .map((address) => named('a name in capitals', name([address]).toUpperCase(), [address], 'https')),
    ...open6.slice(0, 8).map((address, index) => {
      const both = [open4[index] ?? '', address];
      return named('A and AAAA', name(both), both);
    }),
    ...[2, 3, 6, 12].map((many) => named('many answers', name(open4.slice(0, many)), open4.slice(0, many))),
    ...open4.slice(16, 24).map((address) => ({
      kind: 'another notation',
      url: `http://${notations.hexadecimal?.(address) ?? ''}/`,
      addresses: [address],
      host: address,
    })),
    ...open4
      .slice(24, 28)
      .map((address) => ({ kind: 'mapped', url: `http://[::ffff:${address}]/`, addresses: [address], host: '' })),
    { kind: 'Unicode name', url: `http://bücher.${ZONE}/`, addresses: [open4[3] ?? ''], host: idn },
  ];
}

/** Names whose answers change between questions: every second turn leads inside. */
function rebinding(): { url: string; isOpenFirst: boolean; open: string }[] {
  return denied4.flatMap((address, index) => {
    const good = open4[index % open4.length] ?? '';
    return [
      { url: `http://${name([good], [address])}/`, isOpenFirst: true, open: good },
      { url: `http://${name([address], [good])}/`, isOpenFirst: false, open: good },
    ];
  });
}

export const corpus = {
  denied: [...writtenAddresses(), ...namesOfDenied(), ...tricks()],
  refusedForms,
  open: openCases(),
  rebinding: rebinding(),
  names: names satisfies Names,
  openAddresses: [...open4, ...open6],
  certificateHosts: [`*.${ZONE}`, ...open4, ...open6],
};
