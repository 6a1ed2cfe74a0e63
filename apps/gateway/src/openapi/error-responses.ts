import { ERROR_STATUS, type ErrorCode } from '#lib/contracts';
import { z } from 'zod';
import { ERROR_REFERENCE } from './error-reference.js';
import { type RecordedExamples } from './recorded-examples.js';
import { type ResponseHeader, responseHeaders } from './headers.js';

export const ErrorBody = z
  .object({
    success: z.literal(false).describe('Always false: the body is an error.'),
    error: z
      .object({
        code: z
          .enum(Object.keys(ERROR_STATUS) as [ErrorCode])
          .describe('What kind of error it is, for programs. Codes are never renamed; new ones may come.'),
        message: z.string().describe('What is wrong and what to do about it, for people. Its words may change.'),
        details: z
          .array(
            z.looseObject({
              field: z
                .string()
                .optional()
                .describe('The field, parameter or header it is about, with dots: `configuration.timeout_seconds`.'),
              reason: z
                .string()
                .describe('The cause, for programs: `required`, `too_long`, `unknown_field`, `quota_exceeded`, …'),
            }),
          )
          .describe(
            'Each cause, with the bound it broke where there is one (`min`, `max`, `limit`, `used`). May be empty.',
          ),
      })
      .describe('What went wrong.'),
    meta: z
      .object({
        request_id: z.string().describe('The `X-Request-Id` of this request.'),
        timestamp: z.string().describe('When it was answered: RFC 3339, UTC.'),
      })
      .describe('About this response.'),
  })
  .meta({ id: 'Error', description: 'The body of every error.' });

/** Responses with errors: one per set of codes that an operation may give with one status, shared by all that have it. */
export class ErrorResponses {
  readonly shared: Record<string, object> = {};

  of(codes: Iterable<ErrorCode>): Record<string, object> {
    const byStatus = new Map<number, ErrorCode[]>();
    for (const code of [...new Set(codes)].sort())
      byStatus.set(ERROR_STATUS[code], [...(byStatus.get(ERROR_STATUS[code]) ?? []), code]);
    return Object.fromEntries(
      [...byStatus].map(([status, list]) => {
        const name = list.join('.');
        this.shared[name] ??= responseOf(status, list);
        return [String(status), { $ref: `#/components/responses/${name}` }];
      }),
    );
  }
}

function responseOf(status: number, codes: ErrorCode[]): object {
  const headers: ResponseHeader[] = [
    'X-Request-Id',
    ...([409, 429, 503].includes(status) ? ['Retry-After' as const] : []),
  ];
  return {
    description: codes
      .map((code) => `\`${code}\`: ${ERROR_REFERENCE[code].meaning} ${ERROR_REFERENCE[code].remedy}`)
      .join('\n\n'),
    headers: responseHeaders(headers),
    content: {
      'application/json': {
        schema: { $ref: '#/components/schemas/Error' },
        examples: Object.fromEntries(codes.map((code) => [code, { $ref: `#/components/examples/${code}` }])),
      },
    },
  };
}

/** An example of every code: from a real run where the code was seen there. */
export const errorExamples = ({ errors }: RecordedExamples): Record<string, object> =>
  Object.fromEntries(
    (Object.keys(ERROR_STATUS) as ErrorCode[]).map((code) => [
      code,
      { summary: code, value: errors[code] ?? made(code) },
    ]),
  );

function made(code: ErrorCode): object {
  return {
    success: false,
    error: { code, message: ERROR_REFERENCE[code].meaning, details: [] },
    meta: { request_id: 'req_01935a7e-3c1b-7f00-8a4e-5b6c7d8e9f00', timestamp: '2026-11-24T10:30:00.000Z' },
  };
}

/** The table of all codes, in Markdown. */
export function errorTable(): string {
  const rows = (Object.keys(ERROR_STATUS) as ErrorCode[]).map((code) => {
    const { meaning, remedy } = ERROR_REFERENCE[code];
    return `| \`${code}\` | ${ERROR_STATUS[code]} | ${meaning} | ${remedy} |`;
  });
  return ['| Code | Status | What it means | What to do |', '| --- | --- | --- | --- |', ...rows].join('\n');
}
