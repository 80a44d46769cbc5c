import { writeFile } from 'node:fs/promises';
import type { GateResult } from '../../models/gate-record.ts';
import type { JudgedAgainstField } from '../../training/judge/against-field.ts';
import type { OutcomeTable } from '../../training/judge/tables.ts';
import { gateLines, verdictOf } from '../../training/report/gates.ts';
import { runReport } from '../../training/report/report.ts';
import { isoTime } from '../clock.ts';
import type { CliContext } from './command.ts';

/** What a page about forecasts says of where they come from. */
export interface JudgedPage {
  readonly simulated: boolean;
  readonly lineage: readonly (readonly [name: string, value: string])[];
  /** Makes the same again. */
  readonly command: string;
}

/** Writes what was judged as one HTML page. */
export async function writeJudgedPage(
  { clock }: CliContext,
  file: string,
  { forecasts, judgement, gates }: JudgedAgainstField,
  outcomes: OutcomeTable,
  page: JudgedPage,
): Promise<void> {
  const lines = gateLines(gates);
  const html = runReport({
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
    importance: null,
  });
  await writeFile(file, html);
}

export function printGates(context: CliContext, gates: readonly GateResult[]): void {
  for (const { gate, passed, words } of gates)
    context.print(`${passed ? 'passed' : 'FAILED'}  ${gate}: ${words}`);
}
