/** Decorators of @nestjs/common that make a method a route. */
const ROUTES = new Set(['All', 'Delete', 'Get', 'Head', 'Options', 'Patch', 'Post', 'Put', 'Sse']);

const nameOf = ({ expression }) => (expression.type === 'CallExpression' ? expression.callee.name : expression.name);

/**
 * A method of the gateway that Nest makes a route of states by `@Endpoint` who may call it. That `access` is among what
 * it states, the compiler checks; that ids are checked, the start of the gateway does (http/check-routes.ts).
 */
export default {
  meta: {
    type: 'problem',
    schema: [],
    messages: { undeclared: '@{{route}} without @Endpoint: state who may call {{method}}' },
  },
  create: (context) => ({
    MethodDefinition(node) {
      const names = (node.decorators ?? []).map(nameOf);
      const route = names.find((name) => ROUTES.has(name));
      if (route === undefined || names.includes('Endpoint')) return;
      context.report({ node: node.key, messageId: 'undeclared', data: { route, method: node.key.name ?? 'it' } });
    },
  }),
};
