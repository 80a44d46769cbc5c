import { useMemo } from 'preact/hooks';
import type { Model } from '../../answers.ts';
import { percentText, timeText } from '../../format.ts';
import { Card } from '../../parts/card.tsx';
import { type Column, DataTable, DownloadButton } from '../../parts/table.tsx';
import { placeCell, refine } from '../../route.ts';
import { useCell } from '../../signal.ts';
import { type Ranked, ranked, type Score } from './ranking.ts';

/** The version beside the classical forecasters, on time that it had not seen. */
export function Scores({ of: { evaluation, version } }: { readonly of: Model }) {
  const { query } = useCell(placeCell);
  const [side, horizon, confidence] = ['side', 'horizon', 'confidence'].map((name) => query.get(name) ?? '');
  const chosen = useMemo(
    () =>
      (evaluation?.scores ?? []).filter(
        (score) =>
          (side === '' || score.side === side) &&
          (horizon === '' || String(score.horizonHours) === horizon) &&
          (confidence === '' || String(score.confidence) === confidence),
      ),
    [evaluation, side, horizon, confidence],
  );
  const rows = useMemo(() => ranked(chosen), [chosen]);
  if (evaluation === null)
    return (
      <Card title="Scores">
        <p class="empty">This version was not evaluated.</p>
      </Card>
    );
  const confidences = valuesOf(chosen, ({ confidence: own }) => own);
  return (
    <Card
      title="Scores on time it had not seen"
      isFlush
      aside={
        <>
          <Filter name="side" label="Side" options={valuesOf(evaluation.scores, (score) => score.side)} />
          <Filter
            name="horizon"
            label="Horizon"
            options={valuesOf(evaluation.scores, ({ horizonHours }) => horizonHours)}
            text={(hours) => `${hours} h`}
          />
          <Filter
            name="confidence"
            label="Confidence"
            options={valuesOf(evaluation.scores, (score) => score.confidence)}
            text={(share) => percentText(Number(share), 1)}
          />
          <DownloadButton name={`${version}-scores.csv`} columns={SCORE_COLUMNS} rows={chosen} />
        </>
      }
    >
      <p class="note" style={{ padding: '.6rem .8rem' }}>
        {timeText(evaluation.testFrom).slice(0, 10)} to {timeText(evaluation.testTo).slice(0, 10)}, with fits
        of data until {timeText(evaluation.fittedUntil).slice(0, 10)}. Loss against the best of the others in
        the same cell, mean of the cells: below 1 is better than all of them.
        {confidences.length === 1 &&
          ` Right forecasts are exceeded by ${percentText(1 - Number(confidences[0]), 1)} of the losses.`}
      </p>
      <DataTable<Ranked>
        caption="Forecasters by their loss"
        columns={RANKED_COLUMNS}
        rows={rows}
        keyOf={({ forecaster }) => forecaster}
      />
    </Card>
  );
}

function Filter({
  name,
  label,
  options,
  text = String,
}: {
  readonly name: string;
  readonly label: string;
  readonly options: readonly (string | number)[];
  readonly text?: (option: string | number) => string;
}) {
  const { query } = useCell(placeCell);
  return (
    <label>
      <span class="visually-hidden">{label}</span>
      <select
        value={query.get(name) ?? ''}
        onChange={(event) => refine({ [name]: event.currentTarget.value })}
      >
        <option value="">any {label.toLowerCase()}</option>
        {options.map((option) => (
          <option key={option} value={String(option)}>
            {text(option)}
          </option>
        ))}
      </select>
    </label>
  );
}

function valuesOf<T extends string | number>(
  scores: readonly Score[],
  of: (score: Score) => T,
): readonly T[] {
  return [...new Set(scores.map(of))].toSorted((a, b) => (a < b ? -1 : 1));
}

const RANKED_COLUMNS: readonly Column<Ranked>[] = [
  { id: 'forecaster', head: 'Forecaster', cell: ({ forecaster }) => forecaster },
  {
    id: 'pinballRatio',
    head: 'Pinball, of the best other',
    isNumber: true,
    cell: ({ pinballRatio }) => <span class={pinballRatio < 1 ? 'up' : ''}>{pinballRatio.toFixed(3)}</span>,
  },
  { id: 'fz0', head: 'FZ0', isNumber: true, cell: ({ fz0 }) => fz0.toFixed(3) },
  {
    id: 'exceedanceRate',
    head: 'Exceeded',
    isNumber: true,
    cell: ({ exceedanceRate }) => percentText(exceedanceRate),
  },
  {
    id: 'observations',
    head: 'Forecasts',
    isNumber: true,
    isMinor: true,
    cell: ({ observations }) => observations.toLocaleString('en-US'),
  },
  { id: 'cells', head: 'Cells', isNumber: true, isMinor: true, cell: ({ cells }) => cells },
];

const SCORE_COLUMNS: readonly Column<Score>[] = [
  { id: 'forecaster', head: '', cell: () => null, csv: ({ forecaster }) => forecaster },
  { id: 'side', head: '', cell: () => null, csv: ({ side }) => side },
  { id: 'horizonHours', head: '', cell: () => null, csv: ({ horizonHours }) => horizonHours },
  { id: 'confidence', head: '', cell: () => null, csv: ({ confidence }) => confidence },
  { id: 'observations', head: '', cell: () => null, csv: ({ observations }) => observations },
  { id: 'pinball', head: '', cell: () => null, csv: ({ pinball }) => pinball },
  { id: 'fz0', head: '', cell: () => null, csv: ({ fz0 }) => fz0 },
  { id: 'exceedanceRate', head: '', cell: () => null, csv: ({ exceedanceRate }) => exceedanceRate },
];
