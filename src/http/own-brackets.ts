import type { z } from 'zod';
import { type MarginTable, type VenueRow, venueTableFaults } from '../accounts/margin/table.ts';
import { leverageToMarginPpmUp, ppmToRate } from '../units.ts';
import type { simulateInputSchema } from './margin-schemas.ts';
import { refuse } from './problem.ts';

type OwnBracket = NonNullable<z.infer<typeof simulateInputSchema>['brackets']>[string][number];

/**
 * A table that somebody brought, ready to compute with.
 *
 * @throws PlimsollError INPUT_INVALID with everything that is wrong with it.
 */
export function requireOwnTable(symbol: string, brackets: readonly OwnBracket[]): MarginTable {
  const rows: VenueRow[] = [];
  for (const bracket of brackets) rows.push(rowOf(bracket, rows.at(-1)));
  const faults = [...numberFaults(brackets), ...venueTableFaults(rows)];
  if (faults.length === 0) return rows;
  throw refuse(
    'INPUT_INVALID',
    `the brackets of ${symbol} cannot be used: ${faults.slice(0, MOST_FAULTS).join('; ')}`,
    'Give brackets that start at 0, each where the one before ends, with rising maintenance rates and maintenance amounts that make the margin continuous; amounts may be left out.',
  );
}

const MOST_FAULTS = 5;

function rowOf(bracket: OwnBracket, before: VenueRow | undefined): VenueRow {
  const { maxLeverage, initialMarginRatePpm, maintenanceAmount } = bracket;
  const notionalFloor = Number(bracket.notionalFloor);
  const maintenanceRate = ppmToRate(bracket.maintenanceMarginRatePpm);
  const initialPpm =
    initialMarginRatePpm ?? (maxLeverage === undefined ? Number.NaN : leverageToMarginPpmUp(maxLeverage));
  const continuous =
    before === undefined
      ? 0
      : before.maintenanceAmount + notionalFloor * (maintenanceRate - before.maintenanceRate);
  return {
    notionalFloor,
    notionalCap: Number(bracket.notionalCap),
    initialRate: ppmToRate(initialPpm),
    maintenanceRate,
    maintenanceAmount: maintenanceAmount === undefined ? continuous : Number(maintenanceAmount),
  };
}

function numberFaults(brackets: readonly OwnBracket[]): string[] {
  return brackets.flatMap(({ bracket, maxLeverage, initialMarginRatePpm }, i) => [
    ...(bracket === undefined || bracket === i + 1 ? [] : [`bracket ${i + 1} is numbered ${bracket}`]),
    ...(maxLeverage === undefined && initialMarginRatePpm === undefined
      ? [`bracket ${i + 1} has neither initialMarginRatePpm nor maxLeverage`]
      : []),
  ]);
}
