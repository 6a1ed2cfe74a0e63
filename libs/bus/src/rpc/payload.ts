import type { Msg, MsgHdrs } from '@nats-io/transport-node';

/** Names the field whose bytes are the payload. */
const BYTES = 'roost-bytes';
/** The other fields then, as JSON. */
const FIELDS = 'roost-fields';

/**
 * The payload that carries `body`, an object in the form of the wire: JSON. Bytes in one of its fields are the payload
 * as they are, and `hdrs` take the rest; as text in JSON they would be a third longer and be copied four times.
 */
export function toPayload(body: unknown, hdrs: MsgHdrs): string | Uint8Array {
  const bytes = Object.entries(body as object).find(
    (field): field is [string, Uint8Array] => field[1] instanceof Uint8Array,
  );
  if (!bytes) return JSON.stringify(body);
  const [name, payload] = bytes;
  hdrs.set(BYTES, name);
  hdrs.set(FIELDS, JSON.stringify({ ...(body as object), [name]: undefined }));
  return payload;
}

/** What `toPayload` was given. Errors: SyntaxError when it is not JSON. */
export function fromPayload(message: Msg): unknown {
  const name = message.headers?.get(BYTES);
  if (!name) return message.json();
  return { ...(JSON.parse(message.headers?.get(FIELDS) ?? '') as object), [name]: message.data };
}
