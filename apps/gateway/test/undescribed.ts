interface Node {
  $ref?: string;
  description?: string;
  schema?: Node;
  properties?: Record<string, Node>;
  [key: string]: unknown;
}

const METHODS = ['get', 'post', 'put', 'patch', 'delete'];
/** What is held by name in an object schema's children, and is described as a whole by what holds it. */
const CHILDREN = ['items', 'additionalProperties', 'anyOf', 'oneOf', 'allOf', 'prefixItems'];

/**
 * Places of an OpenAPI document without a description: operations, parameters, headers, responses, tags, components and
 * every field of every schema. A reference is described by what it leads to, unless it says more.
 */
export function undescribed(document: object): string[] {
  const root = document as Node;
  const found: string[] = [];
  const target = (node: Node): Node | undefined =>
    node.$ref
      ?.split('/')
      .slice(1)
      .reduce<unknown>((at, key) => (at as Node | undefined)?.[key], root) as Node | undefined;
  const require = (node: Node, place: string) => {
    if (!(node.description ?? target(node)?.description)?.trim()) found.push(place);
  };
  const schema = (node: Node | undefined, place: string): void => {
    if (typeof node !== 'object' || node.$ref) return;
    for (const [name, field] of Object.entries(node.properties ?? {})) {
      require(field, `${place}.${name}`);
      schema(field, `${place}.${name}`);
    }
    for (const key of CHILDREN) for (const child of [node[key]].flat()) if (child) schema(child as Node, place);
  };
  const each = (of: unknown, visit: (node: Node, name: string) => void) => {
    for (const [name, node] of Object.entries((of ?? {}) as Record<string, Node>)) visit(node, name);
  };
  const content = (node: Node, place: string) =>
    each(node['content'], (media, type) => schema(media.schema, `${place} ${type}`));
  const response = (node: Node, place: string) => {
    require(node, place);
    each(node['headers'], (header, name) => require(header, `${place} header ${name}`));
    content(node, place);
  };
  for (const part of ['paths', 'webhooks'])
    each(root[part], (item, path) => {
      for (const method of METHODS) {
        const operation = item[method] as Node | undefined;
        if (!operation) continue;
        const place = `${method} ${path}`;
        require(operation, place);
        if (!operation['summary']) found.push(`${place} summary`);
        for (const parameter of (operation['parameters'] ?? []) as Node[])
          require(parameter, `${place} ${String(parameter['in'])} ${String(parameter['name'])}`);
        content((operation['requestBody'] ?? {}) as Node, place);
        each(operation['responses'], (node, status) => response(node, `${place} ${status}`));
        const [tag] = operation['tags'] as string[];
        const known = (root['tags'] as { name: string; description: string }[]).some(
          ({ name, description }) => name === tag && description !== '',
        );
        if (!known) found.push(`tag ${tag}`);
      }
    });
  const components = (root['components'] ?? {}) as Record<string, unknown>;
  each(components['schemas'], (node, name) => {
    if (!name.startsWith('JsonValue')) require(node, `schema ${name}`);
    schema(node, name);
  });
  each(components['parameters'], (node, name) => require(node, `parameter ${name}`));
  each(components['headers'], (node, name) => require(node, `header ${name}`));
  each(components['responses'], (node, name) => response(node, `response ${name}`));
  each(components['securitySchemes'], (node, name) => require(node, `security scheme ${name}`));
  return found;
}
