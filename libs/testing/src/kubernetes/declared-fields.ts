type Client = typeof import('@kubernetes/client-node');

interface Attribute {
  baseName: string;
  type: string;
}

export interface DeclaredFields {
  /**
   * What of an object Kubernetes' OpenAPI document does not declare, or declares to be of another type, in the words of
   * the API server: `.spec.replcas: field not declared in schema`.
   */
  violationsOf(object: { apiVersion?: unknown; kind?: unknown }): string[];
}

/** The OpenAPI document of Kubernetes, by the models that its client for JavaScript was generated into. */
export async function declaredFields(): Promise<DeclaredFields> {
  const client = await import('@kubernetes/client-node');
  return {
    violationsOf(object) {
      const { apiVersion, kind } = object;
      const model = modelOf(client, apiVersion, kind);
      if (!attributesOf(client, model))
        return [`no matches for kind ${JSON.stringify(kind)} in version ${String(apiVersion)}`];
      return violationsAt(client, '', model, object);
    },
  };
}

function modelOf(client: Client, apiVersion: unknown, kind: unknown): string {
  const [version = '', group = ''] = String(apiVersion).split('/').toReversed();
  const prefix = version.charAt(0).toUpperCase() + version.slice(1);
  const [family = ''] = group.split('.');
  const grouped = `${family.charAt(0).toUpperCase()}${family.slice(1) || 'Core'}${prefix}${String(kind)}`;
  return grouped in client ? grouped : `${prefix}${String(kind)}`;
}

function attributesOf(client: Client, model: string): Attribute[] | undefined {
  const found = (client as unknown as Record<string, { getAttributeTypeMap?(): Attribute[] }>)[model];
  return found?.getAttributeTypeMap?.();
}

function violationsAt(client: Client, path: string, type: string, value: unknown): string[] {
  const wrong = (wanted: string) => [`${path}: expected ${wanted}, got ${nameOf(value)}`];
  const items = /^Array<(.*)>$/.exec(type)?.[1];
  if (items !== undefined) {
    if (!Array.isArray(value)) return wrong('list');
    return value.flatMap((item: unknown, index) => violationsAt(client, `${path}${keyOf(item, index)}`, items, item));
  }
  const values = /^\{ \[key: string\]: (.*); \}$/.exec(type)?.[1];
  const attributes = attributesOf(client, type);
  if (values !== undefined || attributes) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return wrong('map');
    return Object.entries(value).flatMap(([name, inner]) => {
      const attribute = attributes?.find(({ baseName }) => baseName === name);
      if (attributes && !attribute) return [`${path}.${name}: field not declared in schema`];
      return violationsAt(client, `${path}.${name}`, attribute?.type ?? values ?? '', inner);
    });
  }
  switch (type) {
    case 'string':
      return typeof value === 'string' ? [] : wrong('string');
    case 'number':
      return typeof value === 'number' ? [] : wrong('numeric (int or float)');
    case 'boolean':
      return typeof value === 'boolean' ? [] : wrong('boolean');
    case 'IntOrString':
      return typeof value === 'string' || typeof value === 'number' ? [] : wrong('int or string');
    default:
      return [];
  }
}

/** As the API server names an item of a list: by its name where it has one. */
function keyOf(item: unknown, index: number): string {
  const name = typeof item === 'object' && item !== null && 'name' in item ? item.name : undefined;
  return typeof name === 'string' ? `[name="${name}"]` : `[${index}]`;
}

function nameOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'list';
  return typeof value === 'object' ? 'map' : typeof value;
}
