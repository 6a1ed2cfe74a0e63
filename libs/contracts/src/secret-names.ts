import { z } from 'zod';
import { wire } from './wire.js';

/**
 * A secret in a document by its name. Clients put the value in before they send the document; one that arrives by name
 * is left as it is. No service ever reads its own environment for it.
 */
export const FromEnvironment = wire({
  fromEnv: z
    .string()
    .max(200)
    .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'must be the name of an environment variable')
    .meta({
      description: 'Name of the variable of the client’s environment that holds it.',
      examples: ['OPENAI_API_KEY'],
    }),
}).meta({
  id: 'FromEnvironment',
  description:
    'A secret by name. `roost apply` and the SDK put the value in before they send the document; where it arrives by name, the present value stays, and it is an error (400) if there is none.',
});
export type FromEnvironment = z.output<typeof FromEnvironment>;

export const secretOrName = <S extends z.ZodType>(secret: S) => z.union([secret, FromEnvironment]);
