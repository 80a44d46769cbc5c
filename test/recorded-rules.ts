import { parse } from 'yaml';
import { files, textOf } from './repository.ts';

export interface Rule {
  readonly alert?: string;
  readonly record?: string;
  readonly expr: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

const RULES = 'ops/prometheus/rules/';
export const ruleFiles = files.filter((file) => file.startsWith(RULES) && !file.includes('/tests/'));
export const ruleTestFiles = files.filter((file) => file.startsWith(`${RULES}tests/`));

/** Every rule of Prometheus that is committed. */
export const rules: readonly Rule[] = ruleFiles.flatMap((file) =>
  (parse(textOf(file)) as { groups: { rules: Rule[] }[] }).groups.flatMap((group) => group.rules),
);

/** Labels of each recorded rule: those that it sets, and those that it sums by. */
export function recordedRules(): ReadonlyMap<string, readonly string[]> {
  return new Map(
    rules
      .filter(({ record }) => record !== undefined)
      .map(({ record = '', expr, labels = {} }) => [
        record,
        [...Object.keys(labels), ...[...expr.matchAll(/\bby \((\w+)\)/g)].map(([, label]) => label)],
      ]),
  );
}
