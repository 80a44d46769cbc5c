import type { Coverage } from '../../answers.ts';
import { percentText, timeText, wordsOf } from '../../format.ts';
import { Card } from '../../parts/card.tsx';
import { Loaded } from '../../parts/states.tsx';
import { type Column, DataTable, DownloadButton } from '../../parts/table.tsx';
import { useResource } from '../../resource.ts';
import '../../charts/bars.css';

type Tier = Coverage['tiers'][number];

/** How the model in use holds: losses beyond its VaR since it decides, alarms, and drift of what it sees. */
export function CoverageCard() {
  const coverage = useResource<Coverage>('/v1/coverage', { on: 'limits', everySeconds: 60 });
  return (
    <div class="columns">
      <Card
        title="Coverage since it decides"
        isFlush
        aside={
          <DownloadButton name="coverage.csv" columns={TIER_COLUMNS} rows={coverage.data?.tiers ?? []} />
        }
      >
        <Loaded from={coverage}>
          {(data) =>
            data.tiers.length === 0 ? (
              <p class="empty">No forecast of the model in use has come due yet.</p>
            ) : (
              <DataTable<Tier>
                caption="Exceedances by horizon and confidence"
                columns={TIER_COLUMNS}
                rows={data.tiers}
                keyOf={({ horizonHours, confidence }) => `${horizonHours} ${confidence}`}
              />
            )
          }
        </Loaded>
      </Card>
      <Card title="Drift against the time it was trained on">
        <Loaded from={coverage}>{(data) => <Drift of={data.drift} />}</Loaded>
      </Card>
    </div>
  );
}

const TIER_COLUMNS: readonly Column<Tier>[] = [
  {
    id: 'horizonHours',
    head: 'Horizon',
    csv: ({ horizonHours }) => horizonHours,
    cell: ({ horizonHours }) => `${horizonHours} h`,
  },
  {
    id: 'confidence',
    head: 'Confidence',
    csv: ({ confidence }) => confidence,
    cell: ({ confidence }) => percentText(confidence, 1),
  },
  {
    id: 'observations',
    head: 'Forecasts',
    isNumber: true,
    csv: ({ observations }) => observations,
    cell: ({ observations }) => observations.toLocaleString('en-US'),
  },
  {
    id: 'exceedanceRate',
    head: 'Exceeded',
    isNumber: true,
    csv: ({ exceedanceRate }) => exceedanceRate,
    cell: ({ exceedanceRate }) => percentText(exceedanceRate),
  },
  {
    id: 'expectedRate',
    head: 'Expected',
    isNumber: true,
    csv: ({ expectedRate }) => expectedRate,
    cell: ({ expectedRate }) => <span class="soft">{percentText(expectedRate)}</span>,
  },
  {
    id: 'alarm',
    head: 'Alarm',
    csv: ({ alarmedAt }) => alarmedAt.exceeded ?? alarmedAt.overstated,
    cell: ({ alarmedAt: { exceeded, overstated } }) => (
      <>
        {exceeded !== null && <span class="badge bad">exceeded too often since {timeText(exceeded)}</span>}
        {overstated !== null && <span class="badge warn">overstated since {timeText(overstated)}</span>}
        {exceeded === null && overstated === null && <span class="soft">none</span>}
      </>
    ),
  },
];

/** Each feature's index beside the one that a month of the training span usually stays below, the worst first. */
function Drift({ of }: { readonly of: Coverage['drift'] }) {
  if (of === null)
    return (
      <p class="empty">
        The version in use keeps no picture of the time it was trained on, or nothing was seen yet.
      </p>
    );
  const rows = of.features.toSorted((a, b) => b.index / b.usual - a.index / a.usual);
  const most = Math.max(2, ...rows.map(({ index, usual }) => index / usual));
  return (
    <>
      <p class="note" style={{ marginBottom: '.6rem' }}>
        {of.drifted.length === 0
          ? 'Nothing has drifted beyond what is usual.'
          : `Drifted: ${of.drifted.map(wordsOf).join(', ')}.`}{' '}
        Stability index over the last {of.windowDays} days; the line is what a month of the training span
        stays below.
      </p>
      <div class="bounds">
        {rows.map(({ name, index, usual }) => (
          <div class={`row ${index > usual ? 'binding' : ''}`} key={name}>
            <span class="name">{wordsOf(name)}</span>
            <span class="track">
              <i style={{ width: `${(100 * (index / usual)) / most}%` }} />
              <b style={{ left: `${100 / most}%` }} />
            </span>
            <span class="value">{(index / usual).toFixed(2)}</span>
          </div>
        ))}
      </div>
    </>
  );
}
