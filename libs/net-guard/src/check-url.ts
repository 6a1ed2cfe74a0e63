import { RoostError } from '#lib/contracts';
import { classifyAddress, isInRanges } from './classify-address.js';
import { type GuardPolicy, unbracketed } from './policy.js';

const maxUrlLength = 2_048;
/** Names that mean this machine or this network wherever they are asked for (RFC 6761, 6762, 8375, 9476, ICANN .internal). */
const localNames =
  /(^|\.)(localhost|localdomain|local|internal|intranet|lan|home|corp|home\.arpa|onion|alt|invalid|test|example)$/;

/**
 * Checks a URL that a user gave, without any lookup: for the moment it is registered. Whoever calls the URL later must
 * do so through a guarded connection, for the name may lead elsewhere then.
 * Errors: VALIDATION_ERROR that explains what is wrong, with the reason `blocked_address` for addresses that may not be called.
 */
export function checkUrl(text: string, policy: GuardPolicy): URL {
  if (text.length > maxUrlLength) throw refused(`may have at most ${maxUrlLength} characters`, 'too_long');
  // A URL parser drops tabs and line breaks silently; a person reading the text does not.
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  if (/[\u0000-\u0020\u007f]/.test(text)) throw refused('may not hold spaces or control characters', 'invalid');
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url) throw refused('is not a URL', 'invalid');
  if (!policy.schemes.some((scheme) => url.protocol === `${scheme}:`))
    throw refused(`must begin with ${policy.schemes.map((scheme) => `${scheme}://`).join(' or ')}`, 'scheme');
  if (url.username || url.password) throw refused('may not hold a user name or password', 'credentials');
  checkPort(url, policy);
  checkHost(unbracketed(url.hostname), policy);
  return url;
}

function checkPort({ port }: URL, { ports = 'web' }: GuardPolicy): void {
  const number = Number(port);
  if (ports === 'web' && port !== '' && number !== 80 && number !== 443 && number < 1_024)
    throw refused('the port must be 80, 443 or at least 1024', 'port');
  if (port === '0') throw refused('the port may not be 0', 'port');
}

function checkHost(host: string, { allowedRanges = [] }: GuardPolicy): void {
  const kind = classifyAddress(host);
  if (kind === 'public') return;
  if (kind !== 'invalid') {
    if (kind !== 'metadata' && isInRanges(host, allowedRanges)) return;
    throw refused(`${kind} addresses may not be called`, 'blocked_address');
  }
  const name = host.replace(/\.$/, '').toLowerCase();
  const isLocalhost = name === 'localhost' || name.endsWith('.localhost');
  if (isLocalhost && isInRanges('127.0.0.1', allowedRanges)) return;
  // A name without a dot is searched for in the local network; allowed ranges say that one is at home there.
  if (!name.includes('.') && allowedRanges.length === 0)
    throw refused('the host must be a full name like example.com', 'blocked_address');
  if (localNames.test(name) && allowedRanges.length === 0)
    throw refused('names of the local network may not be called', 'blocked_address');
}

function refused(message: string, reason: string): RoostError {
  return new RoostError('VALIDATION_ERROR', `url: ${message}`, [{ field: 'url', reason }]);
}
