import { FEATURE_COUNT, FEATURE_NAMES, type FeatureName } from '../../src/features/spec.ts';
import { Random } from '../../src/random.ts';
import { chart, figure, place, plotRanges } from './chart.ts';
import { linearScale, roundTicks } from './scale.ts';
import { escapeHtml, significant } from './text.ts';

/** Features that say nearly the same: shuffled one by one, each would seem useless because the others still tell. */
export const FEATURE_FAMILIES: Readonly<Record<string, RegExp>> = {
  'own volatility': /^log(Realised|Parkinson|RogersSatchell)Volatility/,
  'shape of volatility': /^(volatilityOfVolatility|downsideShare|jumpShare|largestReturnShare)/,
  'own returns': /^(scaledReturn|distanceFrom)/,
  'trading and liquidity':
    /^(logVolumeRatio|zeroVolumeShare|logIlliquidity|logDailyQuoteVolume|missingShare)/,
  funding: /^funding/,
  'volatility of all markets': /^(indexLogVolatility|marketMeanLogVolatility|ownMinusMarket)/,
  'returns of all markets': /^indexScaledReturn/,
  'markets together': /^(logDispersion|averageCorrelation|shockShare)/,
  'time of day and week': /^(hour|weekday|weekend)/,
  'shocks and age': /^(logHoursSinceShock|logAge)/,
};

/** How much worse the score becomes when a family of features tells nothing. */
export interface FeatureImportance {
  readonly family: string;
  readonly features: readonly FeatureName[];
  /** Mean over repeats of the score after shuffling less the score before; above 0 the family is of use. */
  readonly increase: number;
  /** Relative to the score before. */
  readonly relative: number;
  /** Standard deviation over repeats, of the increase. */
  readonly deviation: number;
}

/** Columns of a feature row by family; what no pattern knows is a family of its own. */
export function featureFamilies(
  names: readonly FeatureName[] = FEATURE_NAMES,
): ReadonlyMap<string, readonly number[]> {
  const families = new Map<string, number[]>();
  for (const [column, name] of names.entries()) {
    const family = Object.entries(FEATURE_FAMILIES).find(([, pattern]) => pattern.test(name))?.[0] ?? name;
    families.set(family, [...(families.get(family) ?? []), column]);
  }
  return families;
}

/**
 * Permutation importance by family (Breiman 2001; grouped as in Gregorutti, Michel and Saint-Pierre 2015): the features
 * of a family are shuffled over the rows together, so that they still fit each other and nothing else.
 *
 * @param score mean loss of the model on `rows` rows of features, row-major; lower is better. It must not keep or change
 * the features. @param repeats shuffles of each family.
 * @returns most useful first.
 */
export async function permutationImportance(
  score: (features: Float64Array, rows: number) => Promise<number>,
  features: Float64Array,
  rows: number,
  seed: number,
  repeats = 3,
): Promise<readonly FeatureImportance[]> {
  const before = await score(features, rows);
  const shuffled = features.slice();
  const order = new Uint32Array(rows);
  const found: FeatureImportance[] = [];
  for (const [family, columns] of featureFamilies()) {
    const random = Random.stream(seed, family);
    const increases: number[] = [];
    for (let repeat = 0; repeat < repeats; repeat++) {
      for (let row = 0; row < rows; row++) order[row] = row;
      random.shuffle(order);
      for (let row = 0; row < rows; row++)
        for (const column of columns)
          shuffled[row * FEATURE_COUNT + column] = features[order[row] * FEATURE_COUNT + column];
      increases.push((await score(shuffled, rows)) - before);
    }
    for (let row = 0; row < rows; row++)
      for (const column of columns)
        shuffled[row * FEATURE_COUNT + column] = features[row * FEATURE_COUNT + column];
    const increase = increases.reduce((sum, one) => sum + one, 0) / repeats;
    const squares = increases.reduce((sum, one) => sum + (one - increase) ** 2, 0);
    found.push({
      family,
      features: columns.map((column) => FEATURE_NAMES[column]),
      increase,
      relative: before === 0 ? 0 : increase / Math.abs(before),
      deviation: repeats > 1 ? Math.sqrt(squares / (repeats - 1)) : 0,
    });
  }
  return found.sort((a, b) => b.increase - a.increase);
}

const WIDTH = 760;
const BAR_HEIGHT = 26;
const NAME_WIDTH = 180;

export function importanceFigure(importance: readonly FeatureImportance[]): string {
  const height = importance.length * BAR_HEIGHT + 60;
  const bottom = plotRanges(WIDTH, height).y[0];
  const ends = importance.map(({ relative }) => 100 * relative);
  const x = linearScale([Math.min(0, ...ends), Math.max(0.1, ...ends) * 1.1], [NAME_WIDTH, WIDTH - 70]);
  const ticks = roundTicks(x.domain, 6).map((at) => ({ at, label: `${significant(at, 2)} %` }));
  const rowHeight = (bottom - 12) / importance.length;
  const bars = importance.map(({ family, features, relative, increase, deviation }, i) => {
    const top = 12 + i * rowHeight + 4;
    const [from, to] = [x(0), x(100 * relative)].toSorted((a, b) => a - b);
    const spread = increase === 0 ? 0 : (100 * relative * deviation) / Math.abs(increase);
    const middle = place(top + (rowHeight - 8) / 2);
    const whisker = `<line class="whisker ink" x1="${place(x(100 * relative - spread))}" x2="${place(x(100 * relative + spread))}" y1="${middle}" y2="${middle}"/>`;
    const words = `${family}: ${significant(100 * relative)} % worse without; ${features.join(', ')}`;
    return (
      `<g><title>${escapeHtml(words)}</title>` +
      `<text class="tick" x="${NAME_WIDTH - 8}" y="${place(top + rowHeight / 2)}" text-anchor="end">${escapeHtml(family)}</text>` +
      `<rect class="bar s0" x="${place(from)}" y="${place(top)}" width="${place(Math.max(1, to - from))}" height="${place(rowHeight - 8)}"/>${whisker}` +
      `<text class="tick" x="${place(Math.max(to, x(100 * relative + spread)) + 8)}" y="${place(top + rowHeight / 2)}">${significant(100 * relative, 2)} %</text></g>`
    );
  });
  const svg = chart(
    {
      id: 'importance',
      title: 'Permutation importance by family of features',
      description: importance
        .map(({ family, relative }) => `${family} ${significant(100 * relative)} %`)
        .join(', '),
      width: WIDTH,
      height,
      x: { scale: x, ticks, label: 'how much worse the loss becomes' },
      y: { scale: linearScale([0, 1], [bottom, 12]), ticks: [], label: '' },
    },
    bars,
  );
  return figure(
    'How much the loss rises when the features of a family are shuffled together over the rows, so that they tell nothing. Whiskers: one standard deviation over shuffles. Families, because features that say the same would each seem useless.',
    [{ heading: '', svg }],
    [],
  );
}
