import type { Model } from '../../answers.ts';
import { timeText, wordsOf } from '../../format.ts';
import { Card, Facts } from '../../parts/card.tsx';
import { Loaded } from '../../parts/states.tsx';
import { type Column, DataTable, DownloadButton } from '../../parts/table.tsx';
import { useResource } from '../../resource.ts';
import { linkTo } from '../../route.ts';
import { Scores } from './scores.tsx';

/** One version: how it was judged, by what it may be promoted, and where it comes from. */
export function Version({ version }: { readonly version: string }) {
  const model = useResource<Model>(`/v1/models/${encodeURIComponent(version)}`);
  return (
    <Loaded from={model}>
      {(data) => (
        <>
          <h2 style={{ margin: '.4rem 0 .7rem' }}>
            {data.title ?? data.name} <code>{data.version}</code>
          </h2>
          <Scores of={data} />
          <Gates of={data} />
          <Lineage of={data} />
        </>
      )}
    </Loaded>
  );
}

type Gate = NonNullable<Model['gateRecord']>['results'][number];

function Gates({ of: { gateRecord, version } }: { readonly of: Model }) {
  return (
    <Card
      title="Gates of promotion"
      isFlush
      aside={
        <DownloadButton
          name={`${version}-gates.csv`}
          columns={GATE_COLUMNS}
          rows={gateRecord?.results ?? []}
        />
      }
    >
      {gateRecord === null ? (
        <p class="empty">This version was never held against the gates.</p>
      ) : (
        <>
          <p class="note" style={{ padding: '.6rem .8rem' }}>
            Judged {timeText(gateRecord.judgedAt)} UTC
            {gateRecord.champion !== null && `, against ${gateRecord.champion}`}, by policy{' '}
            {gateRecord.policyVersion}.
          </p>
          <DataTable<Gate>
            caption="Gates with what was measured"
            columns={GATE_COLUMNS}
            rows={gateRecord.results}
            keyOf={({ gate }) => gate}
          />
        </>
      )}
    </Card>
  );
}

const GATE_COLUMNS: readonly Column<Gate>[] = [
  { id: 'gate', head: 'Gate', csv: ({ gate }) => gate, cell: ({ gate }) => wordsOf(gate) },
  {
    id: 'words',
    head: 'What it asks',
    isWrapped: true,
    csv: ({ words }) => words,
    cell: ({ words }) => words,
  },
  {
    id: 'measured',
    head: 'Measured',
    isNumber: true,
    csv: ({ measured }) => measured,
    cell: ({ measured }) => (measured === null ? '–' : Number(measured.toPrecision(4))),
  },
  {
    id: 'bound',
    head: 'Bound',
    isNumber: true,
    csv: ({ bound }) => bound,
    cell: ({ bound }) => Number(bound.toPrecision(4)),
  },
  {
    id: 'passed',
    head: 'Passed',
    csv: ({ passed }) => passed,
    cell: ({ passed }) => (
      <span class={`badge ${passed ? 'good' : 'bad'}`}>{passed ? 'passed' : 'failed'}</span>
    ),
  },
];

function Lineage({ of }: { readonly of: Model }) {
  const { lineage, split, training } = of;
  return (
    <Card title="Where it comes from">
      <Facts
        of={[
          ['Markets', String(of.markets)],
          ['Data', `${timeText(of.dataFrom).slice(0, 10)} to ${timeText(of.dataTo).slice(0, 10)}`],
          ['Features', String(of.featureCount)],
          split === null ? null : ['Trained until', timeText(split.trainUntil).slice(0, 10)],
          training === null
            ? null
            : ['Network', `${training.hidden.join(' × ')}, ${training.members.length} members`],
          training === null ? null : ['Backend', training.backend],
        ]}
      />
      {lineage === null ? (
        <p class="note">Its lineage was not kept when it was made.</p>
      ) : (
        <dl class="evidence">
          <div>
            <dt>made by</dt>
            <dd>
              <code>{lineage.command}</code>
            </dd>
          </div>
          <div>
            <dt>parent</dt>
            <dd>
              {lineage.parent === null ? (
                'none'
              ) : (
                <a href={linkTo(['models', lineage.parent])}>{lineage.parent}</a>
              )}
            </dd>
          </div>
          <div>
            <dt>program</dt>
            <dd>{lineage.programVersion}</dd>
          </div>
          <div>
            <dt>data</dt>
            <dd>
              <code>{lineage.dataFingerprint.slice(0, 16)}</code>
            </dd>
          </div>
        </dl>
      )}
    </Card>
  );
}
