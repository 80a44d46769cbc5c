import type { Section } from './page.ts';
import { sortableTable } from './table.ts';

/** One condition of promotion with what was measured, in words that a risk officer reads. */
export interface GateLine {
  readonly name: string;
  readonly passed: boolean;
  readonly measured: string;
  readonly bound: string;
  /** What is behind it: where, how often, since when. */
  readonly detail: string;
}

/** The gates as the first section of a report, those that failed first. */
export function gatesSection(gates: readonly GateLine[]): Section {
  const sorted = gates.toSorted((a, b) => Number(a.passed) - Number(b.passed));
  const passed = gates.filter((gate) => gate.passed).length;
  const rows = sorted.map(({ name, passed: isPassed, measured, bound, detail }) => [
    { text: name },
    {
      text: isPassed ? '✓ passed' : '✕ failed',
      sort: Number(isPassed),
      tone: isPassed ? ('good' as const) : ('bad' as const),
    },
    { text: measured },
    { text: bound },
    { text: detail, isLong: true },
  ]);
  const columns = [
    { title: 'Gate' },
    { title: 'Result' },
    { title: 'Measured' },
    { title: 'Bound' },
    { title: 'Behind it' },
  ];
  return {
    id: 'gates',
    title: 'Gates',
    html: sortableTable(`${passed} of ${gates.length} gates passed`, columns, rows),
  };
}
