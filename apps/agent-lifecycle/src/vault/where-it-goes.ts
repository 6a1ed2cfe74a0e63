import { type NewVaultSecret, RoostError } from '#lib/contracts';
import { isIP } from 'node:net';
import { domainToASCII } from 'node:url';
import { parse } from 'tldts';

/** Hosts, methods and paths of secrets: as they are stored, or refused with the field's name. */

/** Neither is a request for a thing: one opens a tunnel, the other gives headers back. */
const REFUSED_METHODS = ['CONNECT', 'TRACE'];
const LABEL = /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/;

/**
 * A host in its one form: lower case, punycode, `:port` only where it is not 443. Errors: VALIDATION_ERROR for what is no
 * name, for addresses, and for what would be the hosts of strangers: `*.co.uk`, `*.github.io`, `com`.
 */
export function hostOf(text: string, field: string): string {
  const refuse = (reason: string) => refused(field, `"${text.slice(0, 100)}" ${reason}`);
  const [, star = '', given = '', portText] = /^(\*\.)?([^\s:/?#@*]+?)\.?(?::(\d{1,5}))?$/.exec(text) ?? [];
  const name = domainToASCII(given);
  if (isIP(name) || /(^|\.)(0x[0-9a-f]*|\d+)$/.test(name)) throw refuse('is an address: give the name of a host');
  if (name === '' || name.length > 253 || !name.split('.').every((label) => LABEL.test(label)))
    throw refuse('is no host: give a name like api.example.com or *.example.com, without scheme and path');
  const { publicSuffix, isIcann } = parse(name, { allowPrivateDomains: true, validateHostname: false });
  if (star && publicSuffix === name)
    throw refuse('stands for hosts of anybody, since names below it are given out to the public');
  if (isIcann && publicSuffix === name) throw refuse('is a public suffix and no host');
  const port = portText === undefined ? 443 : Number(portText);
  if (port !== 443 && (port < 1_024 || port > 65_535)) throw refuse('has a port that agents cannot reach');
  return `${star}${name}${port === 443 ? '' : `:${port}`}`;
}

/** A path as it is on the wire. Errors: VALIDATION_ERROR for one that a URL would have in another form. */
export function pathPrefixOf(text: string, field: string): string {
  const url = URL.canParse(`https://a${text}`) ? new URL(`https://a${text}`) : undefined;
  if (!text.startsWith('/') || url?.pathname !== text || /%2e|%2f|%5c|\/\//i.test(text))
    throw refused(
      field,
      `"${text.slice(0, 100)}" is no path as in a URL: it begins with / and holds no . or .. and no query`,
    );
  return text;
}

type Where = Pick<NewVaultSecret, 'hosts' | 'methods' | 'pathPrefixes'>;

/** All three, each once. Errors: VALIDATION_ERROR. */
export function whereOf({ hosts, methods, pathPrefixes }: Where): Where {
  const wrong = methods?.find((method) => REFUSED_METHODS.includes(method));
  if (wrong !== undefined) throw refused('methods', `${wrong} carries no secret`);
  return {
    hosts: unique(hosts.map((host, index) => hostOf(host, `hosts.${index}`))),
    methods: methods && unique(methods),
    pathPrefixes:
      pathPrefixes && unique(pathPrefixes.map((path, index) => pathPrefixOf(path, `path_prefixes.${index}`))),
  };
}

const unique = <T>(values: T[]): T[] => [...new Set(values)];

export function refused(field: string, message: string): RoostError {
  return new RoostError('VALIDATION_ERROR', `${field}: ${message}`, [{ field, reason: 'invalid', message }]);
}
