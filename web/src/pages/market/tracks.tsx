import { useMemo } from 'preact/hooks';
import type { Track, TrackedDecision } from '../../answers.ts';
import { TimeChart } from '../../charts/time-chart.tsx';
import { leverageText, percentText, priceText, shortMoneyText } from '../../format.ts';
import { Card } from '../../parts/card.tsx';
import { Choice } from '../../parts/fields.tsx';
import { Loaded } from '../../parts/states.tsx';
import { type Column, DownloadButton } from '../../parts/table.tsx';
import { useResource } from '../../resource.ts';
import { placeCell, refine } from '../../route.ts';
import { useCell } from '../../signal.ts';
import { RANGES, type RangeDays, rangeOf, rangeText, trackPath } from './range.ts';
import { excursions, priceAndLeverage } from './series.ts';

/** Leverage with price, and forecasts with what came of them, over the chosen span. */
export function Tracks({ symbol }: { readonly symbol: string }) {
  const { query } = useCell(placeCell);
  const range = rangeOf(query);
  const track = useResource<Track>(trackPath(symbol, range, Date.now()), { on: 'limits', everySeconds: 300 });
  const choose = (from: number, to: number): void =>
    refine({ from: new Date(from).toISOString(), to: new Date(to).toISOString(), days: null });
  return (
    <Card
      title="Leverage, price and what was forecast"
      aside={
        <>
          {range.days === null && <span class="note">{rangeText(range)}</span>}
          <Choice
            label="Span"
            options={RANGES}
            value={String(range.days ?? '') as RangeDays}
            onChange={(days) => refine({ days, from: null, to: null })}
          />
          <DownloadButton
            name={`${symbol}-decisions.csv`}
            columns={DECISION_COLUMNS}
            rows={track.data?.decisions ?? []}
          />
        </>
      }
    >
      <div style={{ minHeight: '36rem' }}>
        <Loaded from={track}>{(data) => <Charts of={data} onRange={choose} />}</Loaded>
      </div>
    </Card>
  );
}

function Charts({
  of,
  onRange,
}: {
  readonly of: Track;
  readonly onRange: (from: number, to: number) => void;
}) {
  const lines = useMemo(() => priceAndLeverage(of), [of]);
  const found = useMemo(() => excursions(of), [of]);
  const span = [Date.parse(of.from), Date.parse(of.to)] as const;
  if (lines.times.length === 0) return <p class="empty">Nothing is stored of this span.</p>;
  return (
    <>
      <TimeChart
        label={`Leverage and price of ${of.symbol}`}
        times={lines.times}
        cursor="market"
        onRange={onRange}
        axisText={leverageText}
        axisSteps={LEVERAGE_STEPS}
        span={span}
        series={[
          { label: 'Leverage', colour: 'accent', values: lines.leverage, text: leverageText, isStep: true },
          {
            label: 'Price',
            colour: 'ink-soft',
            values: lines.price,
            text: priceText,
            scale: 'right',
            spansGaps: true,
          },
        ]}
        rightAxisText={shortMoneyText}
      />
      <Held of={of} />
      {found.times.length > 0 && (
        <TimeChart
          label={`Worst losses of ${of.symbol} within the horizon, and the bounds that were forecast for them`}
          times={found.times}
          cursor="market"
          onRange={onRange}
          axisText={(share) => percentText(share, Number.isInteger(Math.round(share * 1e6) / 1e4) ? 0 : 1)}
          span={span}
          series={[
            {
              label: 'VaR short',
              colour: 'short',
              values: found.shortBound,
              text: percentText,
              isStep: true,
            },
            {
              label: 'VaR long',
              colour: 'long',
              values: found.longBound,
              text: percentText,
              isStep: true,
              isBand: true,
            },
            {
              label: 'Short lost',
              colour: 'short',
              values: found.shortLoss,
              text: percentText,
              isDots: true,
            },
            { label: 'Long lost', colour: 'long', values: found.longLoss, text: percentText, isDots: true },
            {
              label: 'Long beyond VaR',
              colour: 'bad',
              values: found.exceedances,
              text: percentText,
              isDots: true,
            },
            {
              label: 'Short beyond VaR',
              colour: 'bad',
              values: found.shortExceedances,
              text: percentText,
              isDots: true,
            },
          ]}
        />
      )}
    </>
  );
}

/** How well the forecasts of the span have held, in a sentence. */
function Held({ of: { exceedances, horizonHours, confidence } }: { readonly of: Track }) {
  if (horizonHours === null || confidence === null) return null;
  const { observations, long, short } = exceedances;
  const expected = observations * (1 - confidence);
  return (
    <p class="note" style={{ margin: '.8rem 0 .4rem' }}>
      The worst loss within {horizonHours} h against its VaR at {percentText(confidence, 1)}:{' '}
      {observations === 0
        ? 'none has come due in this span yet.'
        : `${observations} forecasts came due; longs lost more than forecast ${long} times, shorts ${short} times, where ${expected.toFixed(1)} each are to be expected.`}
    </p>
  );
}

const LEVERAGE_STEPS = [1, 2, 5, 10, 20, 50];

const DECISION_COLUMNS: readonly Column<TrackedDecision>[] = [
  { id: 'version', head: '', cell: () => null, csv: ({ version }) => version },
  { id: 'asOf', head: '', cell: () => null, csv: ({ asOf }) => asOf },
  { id: 'maxLeverage', head: '', cell: () => null, csv: ({ maxLeverage }) => maxLeverage },
  { id: 'bindingBound', head: '', cell: () => null, csv: ({ bindingBound }) => bindingBound },
  { id: 'horizonHours', head: '', cell: () => null, csv: ({ horizonHours }) => horizonHours },
  { id: 'confidence', head: '', cell: () => null, csv: ({ confidence }) => confidence },
  { id: 'longValueAtRisk', head: '', cell: () => null, csv: ({ valueAtRisk }) => valueAtRisk.long },
  { id: 'shortValueAtRisk', head: '', cell: () => null, csv: ({ valueAtRisk }) => valueAtRisk.short },
  { id: 'longRealised', head: '', cell: () => null, csv: ({ realised }) => realised?.long ?? null },
  { id: 'shortRealised', head: '', cell: () => null, csv: ({ realised }) => realised?.short ?? null },
];
