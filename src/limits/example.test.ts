import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { formatDecimal, formatMicros, formatWhole } from '../units.ts';
import { boundMarket } from './bounds/combine.ts';
import { bracketFor, maintenanceMarginMicros, maintenanceOf } from './brackets.ts';
import { closeoutCost, closeoutHours } from './curve.ts';
import { decideMarket } from './decide.ts';
import { usableInput } from './market-input.ts';
import {
  FACTOR_DECIMALS,
  SIZE_FORM_KINDS,
  type SizeForm,
  sizeFormOf,
  sizeRatePpm,
  usualLargestNotional,
} from './size-form.ts';
import { AXES, context, DECIDED_AT, EXAMPLE_POLICY, forecast, HOUR, largeMarket } from './test-inputs.ts';
import type { Bracket, MarketLimit } from './types.ts';

const percent = (rate: number): string => `${(rate * 100).toFixed(2)} %`;
const table = (rows: readonly (readonly string[])[]): string =>
  rows
    .map((row) =>
      row
        .map((cell, column) => cell.padStart(column === 0 ? 13 : 12))
        .join(' ')
        .trimEnd(),
    )
    .join('\n');

function boundsText(limit: MarketLimit): string {
  const rows = limit.bounds
    .filter((bound) => bound.maxLeverage !== null)
    .map(({ name, maxLeverage, evidence }) => [
      name,
      `${maxLeverage?.toFixed(2)}x`,
      typeof evidence.marginCallShortfall === 'number' ? percent(evidence.marginCallShortfall) : '',
      typeof evidence.closeoutValueAtRisk === 'number' ? percent(evidence.closeoutValueAtRisk) : '',
    ]);
  return table([['bound', 'leverage', 'ES 4 h', 'VaR 1 h'], ...rows]);
}

function curveText(limit: MarketLimit): string {
  const input = usableInput(largeMarket(), AXES);
  const target = boundMarket(input, context())?.target;
  const { liquidity } = input;
  if (target === undefined || liquidity === null) throw new Error('the example has liquidity');
  const rows = [1e5, 1e7, 5e7, 1e8, 4e8].map((notional) => {
    const bracket = bracketFor(limit.brackets, notional);
    const asked = bracket === null ? 0 : maintenanceMarginMicros(bracket, notional) / 1e6 / notional;
    return [
      formatWhole(notional),
      closeoutHours(notional, liquidity, EXAMPLE_POLICY).toFixed(1),
      percent(closeoutCost(notional, liquidity, EXAMPLE_POLICY)),
      percent(target.curve.maintenance(notional)),
      percent(target.curve.initial(notional)),
      percent(asked),
      `${bracket?.maxLeverage}x`,
    ];
  });
  return table([['notional', 'hours', 'cost', 'MMR', 'IMR', 'MMR asked', 'leverage'], ...rows]);
}

function bracketsText(limit: MarketLimit): string {
  const rows = limit.brackets.map((bracket) => [
    formatWhole(bracket.notionalCap),
    `${bracket.maxLeverage}x`,
    String(bracket.initialMarginRatePpm),
    String(bracket.maintenanceMarginRatePpm),
    formatMicros(bracket.maintenanceAmountMicros),
  ]);
  return table([['cap', 'leverage', 'IMR ppm', 'MMR ppm', 'amount'], ...rows]);
}

function formsText({ brackets }: MarketLimit): string {
  const forms = SIZE_FORM_KINDS.map((kind) => sizeFormOf(brackets, kind, usualLargestNotional(brackets)));
  const parameters = forms.map(({ kind, initial, maintenance }) => [
    kind,
    String(initial.baseRatePpm),
    formatDecimal(initial.factor, FACTOR_DECIMALS),
    String(maintenance.baseRatePpm),
    formatDecimal(maintenance.factor, FACTOR_DECIMALS),
  ]);
  const [squareRoot, linear] = forms;
  const rows = brackets.slice(0, -1).map((bracket) => {
    const notional = bracket.notionalCap;
    const asked = maintenanceMarginMicros(bracket, notional) / 1e6 / notional;
    const rate = (form: SizeForm, of: 'initial' | 'maintenance'): string =>
      percent(sizeRatePpm(form.kind, form[of], notional) / 1e6);
    return [
      formatWhole(notional),
      percent(bracket.initialMarginRatePpm / 1e6),
      rate(squareRoot, 'initial'),
      rate(linear, 'initial'),
      percent(asked),
      rate(squareRoot, 'maintenance'),
      rate(linear, 'maintenance'),
    ];
  });
  const names = ['form', 'IM base', 'factor', 'MM base', 'factor'];
  return `${[names, ...parameters].map((row) => row.map((cell, column) => (column === 0 ? cell.padStart(13) : cell.padStart(column % 2 === 1 ? 9 : 24))).join('')).join('\n')}

${table([['notional', 'IM brackets', 'square root', 'linear', 'MM brackets', 'square root', 'linear'], ...rows])}`;
}

function topRate([top]: readonly Bracket[]): string {
  return percent(top.maintenanceMarginRatePpm / 1e6);
}

/** A storm of some hours in which tails triple, then calm again: every change of the schedule. */
function governorText(hours: number): string {
  const storm = forecast('shock-network@test', 0.069);
  let limit = decideMarket(largeMarket(), null, context());
  const rows: string[][] = [];
  for (let hour = 1; hour <= 16 * 24; hour++) {
    const before = limit;
    const input = hour <= hours ? largeMarket({ shockModel: storm }) : largeMarket();
    limit = decideMarket(input, limit, context({ decidedAt: DECIDED_AT + hour * HOUR }));
    const { move, publishedMaxLeverage } = limit.governor;
    const isTold = limit.reasons.some((reason) => reason.startsWith('MAINTENANCE_'));
    const [isAnnounced, wasAnnounced] = [limit, before].map(({ announced = [] }) => announced.length > 0);
    if (move === 'hold' && !isTold && isAnnounced === wasAnnounced) continue;
    rows.push([
      String(hour),
      move,
      `${publishedMaxLeverage}x`,
      topRate(limit.brackets),
      topRate(maintenanceOf(limit)),
      (limit.announced ?? []).map(({ brackets }) => topRate(brackets)).join(', '),
    ]);
  }
  return table([['hour', 'move', 'top', 'MMR at top', 'positions', 'announced'], ...rows]);
}

describe('the worked example in docs/limits.md', () => {
  const page = readFileSync(new URL('../../docs/limits.md', import.meta.url), 'utf8');
  const limit = decideMarket(largeMarket(), null, context());

  it.each([
    ['bounds', boundsText(limit)],
    ['margins by notional', curveText(limit)],
    ['brackets', bracketsText(limit)],
    ['continuous forms', formsText(limit)],
    ['governor in a storm of six hours', governorText(6)],
    ['governor in a storm of three days', governorText(72)],
    [
      'shock probability',
      `${percent(limit.shockProbability.long ?? 0)} for longs and ${percent(limit.shockProbability.short ?? 0)} for shorts`,
    ],
  ])('shows the %s that the code computes', (_, text) => {
    expect(page).toContain(text);
  });
});
