const FACTORS: Record<string, number> = {
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

/**
 * A Kubernetes quantity in bytes, rounded up: `1.5Gi`, `100Mi`, `2G`, `1e9`. Undefined for anything else, negative
 * quantities among them. Source: kubernetes.io, "Resource quantities".
 */
export function quantityBytes(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?|\.\d+)(?:([kMGTPE]|[KMGTPE]i)|[eE](\d{1,2}))?$/.exec(text);
  if (!match) return undefined;
  const [, digits = '', suffix = '', exponent = '0'] = match;
  return Math.ceil(Number(digits) * (FACTORS[suffix] ?? 1) * 10 ** Number(exponent));
}

/** Processor time in thousandths of a core: `500m`, `2`, `0.5`. Undefined for anything else. */
export function quantityMillicores(text: string): number | undefined {
  const match = /^(\d{1,9})m$|^(\d{1,6}(?:\.\d{1,3})?)$/.exec(text);
  if (!match) return undefined;
  return match[1] === undefined ? Math.round(Number(match[2]) * 1000) : Number(match[1]);
}
