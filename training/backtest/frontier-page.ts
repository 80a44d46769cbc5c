import { chart, dot, figure, plotRanges, polyline } from '../report/chart.ts';
import { page } from '../report/page.ts';
import { linearScale, logScale, roundTicks } from '../report/scale.ts';
import { escapeHtml, percent, significant } from '../report/text.ts';
import type { Calibration } from './calibrate.ts';

const WIDTH = 960;
const HEIGHT = 420;
/** Bad debt of nothing has no place on a scale of ratios. */
const LEAST_BAD_DEBT = 1e-7;

/** The efficient frontier of a calibration, leverage against bad debt, as one HTML page. */
export function frontierPage(
  { frontier, policy, measures }: Calibration,
  remarks: readonly string[],
): string {
  const points = frontier.map((point) => ({
    leverage: point.measures.averageLeverage,
    badDebt: Math.max(point.measures.badDebtRatio, LEAST_BAD_DEBT),
    words: `margins × ${significant(point.marginMultiplier)}: ${point.measures.averageLeverage.toFixed(2)}x, ${percent(point.measures.badDebtRatio, 4)} a year`,
  }));
  const ranges = plotRanges(WIDTH, HEIGHT);
  const leverages = points.map(({ leverage }) => leverage);
  const badDebts = points.map(({ badDebt }) => badDebt);
  const x = linearScale([0, 1.05 * Math.max(...leverages)], ranges.x);
  const y = logScale([0.7 * Math.min(...badDebts), 1.4 * Math.max(...badDebts)], ranges.y);
  const solution = {
    leverage: measures.averageLeverage,
    badDebt: Math.max(measures.badDebtRatio, LEAST_BAD_DEBT),
  };
  const svg = chart(
    {
      id: 'frontier',
      title: 'Leverage against bad debt',
      description:
        'Average leverage granted and bad debt a year for rising margins, and the policy that was solved for.',
      width: WIDTH,
      height: HEIGHT,
      x: {
        scale: x,
        ticks: roundTicks(x.domain, 8).map((at) => ({ at, label: `${at}x` })),
        label: 'average leverage granted',
      },
      y: {
        scale: y,
        ticks: decades(y.domain).map((at) => ({ at, label: percent(at, 4) })),
        label: 'bad debt a year',
      },
    },
    [
      polyline(
        's0',
        points.map(({ leverage, badDebt }) => [leverage, badDebt] as const).sort((a, b) => a[0] - b[0]),
        x,
        y,
      ),
      ...points.map(({ leverage, badDebt, words }) => dot('s0', x(leverage), y(badDebt), 4, words)),
      dot('s1', x(solution.leverage), y(solution.badDebt), 8, `the policy ${policy.name}`),
    ],
  );
  const drawing = figure(
    'Bad debt per open notional and year on a scale of ratios; each dot is the policy with other margins.',
    [{ heading: '', svg }],
    [
      ['s0', 'the policy with other margins'],
      ['s1', 'the policy that was solved for'],
    ],
  );
  const head = `<h1>Calibration of the policy ${escapeHtml(policy.name)}</h1>${remarks.map((remark) => `<p>${escapeHtml(remark)}</p>`).join('')}`;
  return page(
    'Calibration of a policy',
    head,
    [{ id: 'frontier-of', title: 'Frontier', html: drawing }],
    '<p>plimsoll calibrate</p>',
    null,
  );
}

function decades([low, high]: readonly [number, number]): number[] {
  const first = Math.ceil(Math.log10(low));
  const ticks: number[] = [];
  for (let power = first; 10 ** power <= high; power++) ticks.push(10 ** power);
  return ticks.length > 0 ? ticks : [low];
}
