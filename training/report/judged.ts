import type { AverageScore, Cell as JudgedCell, Judgement } from '../judge/judgement.ts';
import { type Cell, type Column, sortableTable } from './table.ts';
import { level, percent, significant, whole } from './text.ts';

/** FZ0 of losses in percent is that of shares and this: it has the logarithm of ES in it. */
const PERCENT_SHIFT = Math.log(100);
const NORMAL_95 = 1.96;
/** One-sided, each way. */
const SIGNIFICANT = 0.025;

/** Scores of the candidate by cell, each market counting the same, with what they are of every other forecaster's. */
export function averagesTable(judgement: Judgement): string {
  const { candidate, forecasters, averages } = judgement;
  const others = forecasters.filter((name) => name !== candidate);
  const columns: Column[] = [
    { title: 'Cell' },
    {
      title: 'pinball',
      numeric: true,
      about: 'Percent of the price; beside it 1.96 standard errors of the mean over time',
    },
    {
      title: 'FZ0',
      numeric: true,
      about: 'Joint score of VaR and ES of losses in percent (Patton, Ziegel and Chen 2019); lower is better',
    },
    { title: 'exceeded', numeric: true },
    ...others.map((name) => ({
      title: `/ ${name}`,
      numeric: true,
      about: `Pinball over that of ${name}; coloured where a Diebold–Mariano test over all markets tells them apart at 2.5 %; ∈ where ${name} is in the model confidence set`,
    })),
  ];
  const find = (cell: JudgedCell, name: string): AverageScore | undefined =>
    averages.find((one) => one.forecaster === name && isSame(one, cell));
  const rows = averages
    .filter(({ forecaster }) => forecaster === candidate)
    .map((own, i): readonly Cell[] => [
      { text: nameOf(own), sort: i },
      {
        text: significant(100 * own.pinball, 4),
        detail: `± ${significant(100 * NORMAL_95 * own.pinballStandardError, 2)}`,
        sort: own.pinball,
      },
      { text: (own.fz0 + PERCENT_SHIFT).toFixed(3), sort: own.fz0 },
      { text: percent(own.exceedanceRate), sort: own.exceedanceRate },
      ...others.map((name) => ratioCell(judgement, own, find(own, name))),
    ]);
  return sortableTable('Scores by cell, each market counting the same', columns, rows);
}

function ratioCell(judgement: Judgement, own: AverageScore, other: AverageScore | undefined): Cell {
  if (other === undefined || !(other.pinball > 0)) return { text: '–' };
  const isPinballOf = (one: JudgedCell & { readonly score: string }): boolean =>
    one.score === 'pinball' && isSame(one, own);
  const duel = judgement.duels.find((one) => one.against === other.forecaster && isPinballOf(one));
  const members = judgement.confidenceSets.find(isPinballOf)?.members ?? [];
  const p = duel?.pooledPValueBetter ?? null;
  const tone = p === null ? undefined : p < SIGNIFICANT ? 'good' : p > 1 - SIGNIFICANT ? 'bad' : undefined;
  const ratio = own.pinball / other.pinball;
  return {
    text: ratio.toFixed(3),
    ...(members.includes(other.forecaster) ? { detail: '∈' } : {}),
    sort: ratio,
    tone,
  };
}

/** What was judged, in one sentence. */
export function spanWords({ span }: Judgement): string {
  const { from, until, origins, rows, rowsLeftOut, unanswered, markets, folds, stepHours } = span;
  const who = Object.entries(unanswered).map(([name, count]) => `${name} ${whole(count)}`);
  const left =
    rowsLeftOut === 0
      ? ''
      : `; ${whole(rowsLeftOut)} were left out because a forecaster had no answer: ${who.join(', ')}`;
  return `Judged on ${whole(rows)} rows of ${markets} markets at ${whole(origins)} origins, one every ${stepHours} h, ${from.slice(0, 10)} to ${until.slice(0, 10)}, in ${folds} ${folds === 1 ? 'fold' : 'folds'}${left}.`;
}

/** How often the candidate is better and worse, market by market, against each other forecaster and the best of them all. */
export function duelsTables({ duels, bestOfCells, confidenceSets, candidate }: Judgement): string {
  const groups = new Map<string, Judgement['duels'][number][]>();
  for (const duel of duels) {
    const key = `${duel.against}/${duel.score}`;
    groups.set(key, [...(groups.get(key) ?? []), duel]);
  }
  const columns: Column[] = [
    { title: 'Against' },
    { title: 'Score' },
    { title: 'mean gain', numeric: true, about: '1 − own pinball over theirs; of FZ0 the difference' },
    { title: 'lower', numeric: true, about: 'Share of markets and cells with the lower score' },
    { title: 'significantly better', numeric: true, about: 'Diebold–Mariano at 5 %' },
    { title: 'significantly worse', numeric: true, about: 'Diebold–Mariano at 5 %' },
  ];
  const rows = [...groups.values()].map((group): readonly Cell[] => {
    const mean = (of: (duel: (typeof group)[number]) => number): number =>
      group.reduce((sum, duel) => sum + of(duel), 0) / group.length;
    const gain = mean((duel) => duel.gain);
    return [
      { text: group[0].against },
      { text: scoreName(group[0].score) },
      {
        text: group[0].score === 'pinball' ? percent(gain, 1) : significant(gain),
        sort: gain,
        tone: gain > 0 ? 'good' : 'bad',
      },
      ...shares(
        mean((duel) => duel.shareLower),
        mean((duel) => duel.shareSignificantlyBetter),
        mean((duel) => duel.shareSignificantlyWorse),
      ),
    ];
  });
  const best = bestOfCells.map((one): readonly Cell[] => [
    { text: `${one.horizonHours} h ${level(one.confidence)}`, sort: one.horizonHours + one.confidence },
    { text: scoreName(one.score) },
    { text: String(one.cells), sort: one.cells },
    ...shares(one.shareLower, one.shareSignificantlyBetter, one.shareSignificantlyWorse),
  ]);
  const inSet = confidenceSets.filter(({ members }) => members.includes(candidate)).length;
  return (
    sortableTable('Market by market against each other forecaster, mean over cells', columns, rows) +
    sortableTable(
      'Against the best other forecaster of each cell, chosen afterwards: the hardest opponent there is',
      [{ title: 'Cell' }, columns[1], { title: 'markets and sides', numeric: true }, ...columns.slice(3)],
      best,
    ) +
    `<p>The candidate is in the model confidence set at 90 % (Hansen, Lunde and Nason 2011) in ${inSet} of ${confidenceSets.length} cells and scores.</p>`
  );
}

function shares(lower: number, better: number, worse: number): readonly Cell[] {
  return [
    { text: percent(lower, 0), sort: lower, tone: lower > 0.5 ? 'good' : 'bad' },
    { text: percent(better, 0), sort: better },
    { text: percent(worse, 0), sort: worse },
  ];
}

/** Which share of the cells holds each coverage test, by forecaster and confidence. */
export function coverageTable({ coverage }: Judgement): string {
  const columns: Column[] = [
    { title: 'Forecaster' },
    { title: 'confidence', numeric: true },
    { title: 'exceeded', numeric: true },
    { title: 'in stress', numeric: true, about: 'In the highest fifth of volatility' },
    {
      title: 'binomial',
      numeric: true,
      about: 'Share of cells inside the 95 % interval, effective observations counted',
    },
    { title: 'Kupiec', numeric: true, about: 'Share of cells not rejected at 5 %' },
    { title: 'conditional', numeric: true, about: 'Christoffersen, share of cells not rejected at 5 %' },
    { title: 'Z₂', numeric: true, about: 'Acerbi and Székely, share of cells not rejected at 5 %' },
    { title: 'cells', numeric: true },
  ];
  const rows = coverage.map((one): readonly Cell[] => [
    { text: one.forecaster },
    { text: level(one.confidence), sort: one.confidence },
    { text: percent(one.exceedanceRate, 3), sort: one.exceedanceRate },
    { text: percent(one.exceedanceRateInStress, 3), sort: one.exceedanceRateInStress },
    ...[one.shareInsideBinomial, one.shareKupiecHeld, one.shareConditionalHeld, one.shareZ2Held].map(
      (share) => ({ text: percent(share, 0), sort: share }),
    ),
    { text: String(one.cells), sort: one.cells },
  ]);
  return sortableTable('Coverage tests: share of cells that hold', columns, rows);
}

export function shockTable({ shocks }: Judgement): string {
  if (shocks.length === 0) return '';
  const columns: Column[] = [
    { title: 'Forecaster' },
    { title: 'Side' },
    { title: 'Horizon', numeric: true },
    { title: 'Brier', numeric: true },
    { title: 'skill', numeric: true, about: '1 − Brier over that of always saying 5 %' },
    { title: 'log loss', numeric: true },
    { title: 'forecast', numeric: true, about: 'Mean probability' },
    { title: 'came', numeric: true },
  ];
  const rows = shocks.map((one): readonly Cell[] => [
    { text: one.forecaster },
    { text: one.side },
    { text: `${one.horizonHours} h`, sort: one.horizonHours },
    { text: one.brier.toFixed(5), sort: one.brier },
    { text: one.skill.toFixed(4), sort: one.skill, tone: one.skill > 0 ? 'good' : 'bad' },
    { text: one.logLoss.toFixed(4), sort: one.logLoss },
    { text: percent(one.meanProbability), sort: one.meanProbability },
    { text: percent(one.frequency), sort: one.frequency },
  ]);
  return sortableTable('Scores of the shock probability', columns, rows);
}

export function varianceTable({ variances }: Judgement): string {
  if (variances.length === 0) return '';
  const horizons = [...new Set(variances.map(({ horizonHours }) => horizonHours))];
  const names = [...new Set(variances.map(({ forecaster }) => forecaster))];
  const rows = names.map((name): readonly Cell[] => [
    { text: name },
    ...horizons.map((hours) => {
      const one = variances.find((score) => score.forecaster === name && score.horizonHours === hours);
      return one === undefined ? { text: '–' } : { text: one.qlike.toFixed(4), sort: one.qlike };
    }),
  ]);
  const columns = [
    { title: 'Forecaster' },
    ...horizons.map((hours) => ({ title: `${hours} h`, numeric: true })),
  ];
  return sortableTable('Volatility: QLIKE by horizon, lower is better', columns, rows);
}

function isSame(a: JudgedCell, b: JudgedCell): boolean {
  return a.side === b.side && a.horizonHours === b.horizonHours && a.confidence === b.confidence;
}

function nameOf({ side, horizonHours, confidence }: JudgedCell): string {
  return `${side} ${horizonHours} h ${level(confidence)}`;
}

function scoreName(score: 'pinball' | 'fz0'): string {
  return score === 'pinball' ? 'pinball' : 'FZ0';
}
