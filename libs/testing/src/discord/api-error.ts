/** An answer of Discord's API that says no: https://docs.discord.com/developers/topics/opcodes-and-status-codes#json */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: number,
    message: string,
    readonly fields: Record<string, { code: string; message: string }> = {},
  ) {
    super(message);
  }

  get body(): object {
    const errors: Record<string, unknown> = {};
    for (const [path, error] of Object.entries(this.fields)) {
      const keys = path.split('.');
      let node = errors;
      for (const key of keys) node = (node[key] ??= {}) as Record<string, unknown>;
      node['_errors'] = [error];
    }
    return {
      message: this.message,
      code: this.code,
      ...(Object.keys(errors).length > 0 ? { errors } : {}),
    };
  }
}

export const unauthorized = () => new ApiError(401, 0, '401: Unauthorized');
export const unknown = (what: string, code: number) => new ApiError(404, code, `Unknown ${what}`);
export const invalidForm = (fields: Record<string, { code: string; message: string }>) =>
  new ApiError(400, 50_035, 'Invalid Form Body', fields);
