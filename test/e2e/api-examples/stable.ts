const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;
const TIME = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g;
const START = Date.parse('2026-11-24T10:30:00.000Z');

/** Secrets by how they look, and what stands in their place. */
const SECRETS: [form: RegExp, instead: string][] = [
  [/roost_sk_[\w-]+/g, 'roost_sk_EXAMPLE'],
  [/whsec_[\w+/=-]+/g, 'whsec_EXAMPLE'],
  [/whs_[\w+/=-]+/g, 'whs_EXAMPLE'],
  [/\/link [A-Z0-9]{6}/g, '/link EXAMPLE'],
  [/eyJ[\w-]+\.[\w-]+\.[\w-]+/g, 'eyJ.EXAMPLE.TOKEN'],
  [/http:\/\/(?:127\.0\.0\.1|localhost):\d+/g, 'https://roost.example.org'],
];
/** Fields whose values are random, by name. */
const FIELDS: Record<string, unknown> = {
  code: 'EXAMPLE',
  state: 'EXAMPLE',
  authorization_url: 'https://calendar.example.org/authorize?response_type=code&client_id=EXAMPLE&state=EXAMPLE',
  etag: '5f1d7a84db00d2fc',
  kid: 'EXAMPLE',
  x: 'EXAMPLE',
  y: 'EXAMPLE',
  password: 'correct horse battery',
  new_password: 'a better horse battery',
  current_password: 'correct horse battery',
  latency_ms: 12,
  duration_ms: 12,
  next_cursor: null,
};

/**
 * Makes values that are the same in every run of what was recorded: ids and times in the order in which they are first
 * seen, secrets and addresses that are plainly made up.
 */
export function stable(): (value: unknown) => unknown {
  const ids = new Map<string, string>();
  const times = new Map<string, string>();
  const idOf = (id: string) => {
    const known = ids.get(id) ?? `01935a7e-0000-7000-8000-${String(ids.size + 1).padStart(12, '0')}`;
    ids.set(id, known);
    return known;
  };
  const timeOf = (time: string) => {
    const known = times.get(time) ?? new Date(START + times.size * 1_000).toISOString();
    times.set(time, known);
    return known;
  };
  const textOf = (text: string) =>
    SECRETS.reduce((made, [form, instead]) => made.replace(form, instead), text)
      .replace(UUID, idOf)
      .replace(TIME, timeOf);
  const valueOf = (value: unknown): unknown => {
    if (typeof value === 'string') return textOf(value);
    if (Array.isArray(value)) return value.map(valueOf);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([name, inner]) => {
        // An error's code and an attempt's state say which they are.
        const isWord = (name === 'code' || name === 'state') && /^([A-Z_]{5,}|[a-z]+)$/.test(String(inner));
        const isFixed = name in FIELDS && !isWord && typeof inner !== 'object' && inner !== null;
        return [name, isFixed ? FIELDS[name] : valueOf(inner)];
      }),
    );
  };
  return valueOf;
}
