import type { QuestionField } from '#lib/contracts';

export interface QuestionOption {
  value: string;
  title: string;
}

/** What a field lets one choose from; undefined where it is free. */
export function optionsOf(field: QuestionField): QuestionOption[] | undefined {
  if (field.type === 'string') {
    if (field.oneOf) return titled(field.oneOf);
    return field.enum?.map((value, index) => ({ value, title: field.enumNames?.[index] ?? value }));
  }
  if (field.type !== 'array') return undefined;
  const { items } = field;
  if ('enum' in items) return items.enum.map((value) => ({ value, title: value }));
  return titled('anyOf' in items ? items.anyOf : items.oneOf);
}

const titled = (all: { const: string; title: string }[]) => all.map(({ const: value, title }) => ({ value, title }));
