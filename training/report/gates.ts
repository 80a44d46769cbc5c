import type { GateResult } from '../../models/gate-record.ts';
import type { Section } from './page.ts';
import { sortableTable } from './table.ts';
import { significant } from './text.ts';

/** One condition of promotion with what was measured, in words that a risk officer reads. */
export interface GateLine {
  readonly name: string;
  readonly passed: boolean;
  readonly measured: string;
  readonly bound: string;
  /** What is behind it: where, how often, since when. */
  readonly detail: string;
}

/** Results of gates as a reader sees them. */
export function gateLines(results: readonly GateResult[]): readonly GateLine[] {
  return results.map(({ gate, passed, measured, bound, words }) => ({
    name: gate.replaceAll('-', ' '),
    passed,
    measured: measured === null ? 'not measured' : significant(measured),
    bound: significant(bound),
    detail: words,
  }));
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

/** What became of the candidate, in words. */
export interface Verdict {
  readonly isGood: boolean;
  readonly title: string;
  readonly sentence: string;
}

/** The verdict that gates give; which failed is said by name. */
export function verdictOf(gates: readonly GateLine[]): Verdict {
  const failed = gates.filter(({ passed }) => !passed);
  if (failed.length === 0)
    return {
      isGood: true,
      title: 'Every gate passed',
      sentence: 'The version may become the champion.',
    };
  const names = failed.map(({ name, measured, bound }) => `${name} (${measured}, bound ${bound})`).join('; ');
  return {
    isGood: false,
    title: failed.length === 1 ? 'One gate failed' : `${failed.length} gates failed`,
    sentence: `The champion stays. Failed: ${names}.`,
  };
}
