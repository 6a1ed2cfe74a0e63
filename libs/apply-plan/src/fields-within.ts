import { RoostError } from '#lib/contracts';

/**
 * Does a part of what a document asks for; what is wrong with a field of that part is then named as in the document, and
 * any other refusal says which part it is of. Errors: those of `work`.
 */
export async function fieldsWithin<T>(path: string, work: () => Promise<T> | T): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof RoostError ? within(path, error) : error;
  }
}

function within(path: string, error: RoostError): RoostError {
  const { code, message, details, retryAfterSeconds } = error;
  if (code !== 'VALIDATION_ERROR' && code !== 'CONFLICT' && code !== 'NOT_FOUND') return error;
  const named = details.map((detail) =>
    detail.field === undefined ? detail : { ...detail, field: `${path}.${detail.field}` },
  );
  const field = details[0]?.field;
  const text = field !== undefined && message.startsWith(`${field}:`) ? `${path}.${message}` : `${path}: ${message}`;
  return new RoostError(code, text, named, retryAfterSeconds);
}
