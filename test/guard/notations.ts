/** Ways to write an IPv4 address into the host of a URL, and ways to wrap it into an IPv6 address. */
export const notations: Record<string, (address: string) => string> = {
  dotted: (address) => address,
  'trailing dot': (address) => `${address}.`,
  decimal: (address) => String(numberOf(address)),
  hexadecimal: (address) => `0x${numberOf(address).toString(16)}`,
  'upper-case hexadecimal': (address) => `0X${numberOf(address).toString(16).toUpperCase().padStart(8, '0')}`,
  octal: (address) => `0${numberOf(address).toString(8)}`,
  'octal parts': (address) => parts(address, (part) => `0${part.toString(8)}`),
  'hexadecimal parts': (address) => parts(address, (part) => `0x${part.toString(16)}`),
  'padded octal parts': (address) => parts(address, (part) => part.toString(8).padStart(6, '0')),
  'mixed parts': (address) => {
    const [a = 0, b = 0, c = 0, d = 0] = bytesOf(address);
    return `0x${a.toString(16)}.${b}.0${c.toString(8)}.${d}`;
  },
  'three parts': (address) => {
    const [a = 0, b = 0, c = 0, d = 0] = bytesOf(address);
    return `${a}.${b}.${c * 256 + d}`;
  },
  'two parts': (address) => {
    const [a = 0] = bytesOf(address);
    return `${a}.${numberOf(address) % 2 ** 24}`;
  },
  'hexadecimal with a dot': (address) => `0x${numberOf(address).toString(16)}.`,
  'full-width digits': (address) => address.replaceAll(/\d/g, (digit) => String.fromCodePoint(0xff10 + Number(digit))),
  'mathematical digits': (address) =>
    address.replaceAll(/\d/g, (digit) => String.fromCodePoint(0x1d7ce + Number(digit))),
  'ideographic dots': (address) => address.replaceAll('.', '。'),
  'half-width dots': (address) => address.replaceAll('.', '｡'),
  'percent-encoded': (address) => [...address].map((letter) => `%${letter.charCodeAt(0).toString(16)}`).join(''),
  'soft hyphens': (address) => address.replace('.', '.\u00ad'),
  'user name': (address) => `8.8.8.8@${address}`,
  'user name and password': (address) => `www.example.org:80@${address}`,
  'empty user name': (address) => `@${address}`,
  'encoded at': (address) => `8.8.8.8%40:x@${address}`,
  'port 8080': (address) => `${address}:8080`,
  'port with zeros': (address) => `${address}:00080`,
  'mapped, dotted': (address) => `[::ffff:${address}]`,
  'mapped, hexadecimal': (address) => `[::ffff:${groups(address)}]`,
  'mapped, in full': (address) => `[0000:0000:0000:0000:0000:FFFF:${address}]`,
  compatible: (address) => `[::${address}]`,
  translated: (address) => `[::ffff:0:${groups(address)}]`,
  NAT64: (address) => `[64:ff9b::${address}]`,
  'local NAT64': (address) => `[64:ff9b:1::${groups(address)}]`,
  '6to4': (address) => `[2002:${groups(address)}::1]`,
  Teredo: (address) => {
    const flipped = bytesOf(address).map((byte) => byte ^ 0xff);
    return `[2001:0:808:808:0:f227:${groups(flipped.join('.'))}]`;
  },
  ISATAP: (address) => `[2606:4700::5efe:${groups(address)}]`,
  'zone in brackets': (address) => `[::ffff:${address}%25lo]`,
};

export function bytesOf(address: string): number[] {
  return address.split('.').map(Number);
}

function numberOf(address: string): number {
  return bytesOf(address).reduce((sum, byte) => sum * 256 + byte, 0);
}

function parts(address: string, write: (part: number) => string): string {
  return bytesOf(address).map(write).join('.');
}

function groups(address: string): string {
  const [a = 0, b = 0, c = 0, d = 0] = bytesOf(address);
  return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
}
