import type { GateResult } from '../../models/gate-record.ts';
import type { JudgedAgainstField } from '../../training/judge/against-field.ts';
import type { OutcomeTable } from '../../training/judge/tables.ts';
import { gateLines, verdictOf } from '../../training/report/gates.ts';
import type { FeatureImportance } from '../../training/report/importance.ts';
import { runReport } from '../../training/report/report.ts';
import { isoTime } from '../clock.ts';
import type { CliContext } from './command.ts';

/** What a page about forecasts says of where they come from. */
export interface JudgedPage {
  readonly gates: readonly GateResult[];
  readonly simulated: boolean;
  readonly lineage: readonly (readonly [name: string, value: string])[];
  /** Makes the same again. */
  readonly command: string;
  readonly importance?: readonly FeatureImportance[] | null;
}

/** What was judged as one HTML page. */
export function judgedPage(
  { clock }: CliContext,
  { forecasts, judgement }: JudgedAgainstField,
  outcomes: OutcomeTable,
  { gates, importance = null, ...page }: JudgedPage,
): string {
  const lines = gateLines(gates);
  return runReport({
    version: judgement.candidate,
    madeAt: isoTime(clock.now()),
    ...page,
    verdict: verdictOf(lines),
    gates: lines,
    judgement,
    outcomes,
    forecasts,
    candidate: judgement.candidate,
    champion: null,
    importance,
  });
}

export function printGates(context: CliContext, gates: readonly GateResult[]): void {
  for (const { gate, passed, words } of gates)
    context.print(`${passed ? 'passed' : 'FAILED'}  ${gate}: ${words}`);
}
