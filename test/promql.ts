/** One metric of a query, with what it asks of labels. */
export interface Selector {
  readonly name: string;
  /** The values that a label may have; null where that is a pattern or an exclusion. */
  readonly labels: readonly { readonly label: string; readonly values: readonly string[] | null }[];
}

const MATCHER = /(\w+)\s*(=~|!~|!=|=)\s*"((?:[^"\\]|\\.)*)"/g;

/**
 * The series that a query reads, and the labels that it groups by. It knows as much of PromQL as the rules and dashboards here use:
 * metrics of Plimsoll, names of recorded rules, matchers in braces, `by`, `on`, `without` and `ignoring`.
 */
export function readsOf(expression: string): { selectors: Selector[]; grouping: string[] } {
  const selectors = [...expression.matchAll(/\b(plimsoll[\w:]*)(?:\{([^}]*(?:\{[^}]*\}[^}]*)?)\})?/g)].map(
    ([, name, matchers = '']) => ({
      name,
      labels: [...matchers.matchAll(MATCHER)].map(([, label, operator, value]) => ({
        label,
        values: valuesOf(operator, value),
      })),
    }),
  );
  const grouping = [...expression.matchAll(/\b(?:by|on|without|ignoring)\s*\(([^)]*)\)/g)].flatMap(
    ([, list]) =>
      list
        .split(',')
        .map((label) => label.trim())
        .filter((label) => label !== ''),
  );
  // A name within the quotes of a matcher, such as job="plimsoll", is no series.
  const quoted = new Set([...expression.matchAll(/"([^"]*)"/g)].map(([, text]) => text));
  return { selectors: selectors.filter(({ name }) => !quoted.has(name)), grouping };
}

function valuesOf(operator: string, value: string): readonly string[] | null {
  if (operator === '=') return [value];
  // Only plain alternatives say which values are meant; anything else is a pattern.
  return operator === '=~' && /^[\w/|{}]+$/.test(value) ? value.split('|') : null;
}
