import { useState } from 'preact/hooks';
import type { Model, Models, TrainingRuns } from '../answers.ts';
import { write } from '../api.ts';
import { timeText } from '../format.ts';
import type { PageProps } from '../pages.tsx';
import { Card } from '../parts/card.tsx';
import { ActionDialog } from '../parts/dialog.tsx';
import { Field } from '../parts/fields.tsx';
import { Loaded } from '../parts/states.tsx';
import { type Column, DataTable, DownloadButton } from '../parts/table.tsx';
import { useResource } from '../resource.ts';
import { linkTo } from '../route.ts';
import { CoverageCard } from './models/coverage.tsx';
import { Version } from './models/version.tsx';

type Summary = Models['models'][number];

/** Who forecasts: how the versions were judged, how the one in use holds now, and how to put another in its place. */
export function ModelsPage({ rest: [chosen] }: PageProps) {
  const models = useResource<Models>('/v1/models', { on: 'limits', everySeconds: 30 });
  const runs = useResource<TrainingRuns>('/v1/training/runs?limit=50', { everySeconds: 30 });
  const [promoted, setPromoted] = useState<Summary | null>(null);
  const [done, setDone] = useState('');
  return (
    <>
      <div class="head">
        <h1>Models</h1>
      </div>
      {done !== '' && (
        <p class="notice good" role="status">
          {done}
        </p>
      )}
      <Loaded from={models}>
        {(data) => {
          const version =
            chosen ?? data.models.find(({ aliases }) => aliases.includes('champion'))?.version ?? null;
          return (
            <>
              <Versions of={data.models} chosen={version} onPromote={setPromoted} />
              <CoverageCard />
              {version !== null && <Version version={version} />}
            </>
          );
        }}
      </Loaded>
      <Card
        title="Training runs"
        isFlush
        aside={<DownloadButton name="training-runs.csv" columns={RUN_COLUMNS} rows={runs.data?.runs ?? []} />}
      >
        <Loaded from={runs}>
          {(data) =>
            data.runs.length === 0 ? (
              <p class="empty">
                Nothing was trained here yet: <code>plimsoll train</code>, or the schedule of the
                configuration.
              </p>
            ) : (
              <DataTable<Run>
                caption="Training runs, newest first"
                columns={RUN_COLUMNS}
                rows={data.runs}
                keyOf={({ id }) => id}
              />
            )
          }
        </Loaded>
      </Card>
      {promoted !== null && (
        <Promotion
          of={promoted}
          onClose={() => setPromoted(null)}
          onDone={(text) => {
            setDone(text);
            models.refresh();
          }}
        />
      )}
    </>
  );
}

function Versions({
  of,
  chosen,
  onPromote,
}: {
  readonly of: readonly Summary[];
  readonly chosen: string | null;
  readonly onPromote: (version: Summary) => void;
}) {
  const columns: readonly Column<Summary>[] = [
    ...VERSION_COLUMNS,
    {
      id: 'promote',
      head: 'Put in use',
      cell: (summary) =>
        summary.aliases.includes('champion') ? (
          <span class="soft">in use</span>
        ) : (
          <button type="button" onClick={() => onPromote(summary)}>
            Promote …
          </button>
        ),
    },
  ];
  return (
    <Card
      title="Versions"
      isFlush
      aside={<DownloadButton name="models.csv" columns={VERSION_COLUMNS} rows={of} />}
    >
      {of.length === 0 ? (
        <p class="empty">There is no version: the classical forecasters decide.</p>
      ) : (
        <DataTable<Summary>
          caption="Versions of the model, with their gates"
          columns={columns}
          rows={of}
          keyOf={({ version }) => version}
          classOf={({ version }) => (version === chosen ? 'chosen' : undefined)}
        />
      )}
    </Card>
  );
}

/** Nobody puts a model in use by a slip: what it was judged by is shown once more, and why is asked. */
function Promotion({
  of,
  onClose,
  onDone,
}: {
  readonly of: Summary;
  readonly onClose: () => void;
  readonly onDone: (text: string) => void;
}) {
  const [reason, setReason] = useState('');
  const detail = useResource<Model>(`/v1/models/${of.version}`);
  const failed = detail.data?.gateRecord?.results.filter(({ passed }) => !passed) ?? [];
  return (
    <ActionDialog
      title={`Promote ${of.version}`}
      verb="Promote"
      isReady={reason.trim() !== ''}
      onClose={onClose}
      act={async () => {
        const { champion, previous } = await write<{ champion: string; previous: string | null }>(
          `/v1/models/${of.version}/promote`,
          { method: 'POST', body: { reason: reason.trim() } },
        );
        onDone(
          `${champion} decides from the next book on${previous === null ? '' : `, in place of ${previous}`}.`,
        );
      }}
    >
      <p>
        The next decision uses it for every market. Its gates: <GateBadge of={of.gates} />
        {of.simulated && <span class="badge warn">trained on simulated markets</span>}
      </p>
      {failed.length > 0 && (
        <ul class="note">
          {failed.map(({ gate, words }) => (
            <li key={gate}>{words}</li>
          ))}
        </ul>
      )}
      <Field label="Why">
        <input value={reason} maxLength={500} onInput={(event) => setReason(event.currentTarget.value)} />
      </Field>
    </ActionDialog>
  );
}

export function GateBadge({ of }: { readonly of: Summary['gates'] }) {
  const tone = of === 'passed' ? 'good' : of === 'failed' ? 'bad' : '';
  return <span class={`badge ${tone}`}>{of === 'none' ? 'never judged' : of}</span>;
}

const VERSION_COLUMNS: readonly Column<Summary>[] = [
  {
    id: 'version',
    head: 'Version',
    by: ({ version }) => version,
    cell: ({ version }) => <a href={linkTo(['models', version])}>{version}</a>,
  },
  {
    id: 'aliases',
    head: 'Role',
    csv: ({ aliases }) => aliases.join(' '),
    cell: ({ aliases }) =>
      aliases.map((alias) => (
        <span key={alias} class="badge accent">
          {alias}
        </span>
      )),
  },
  { id: 'gates', head: 'Gates', by: ({ gates }) => gates, cell: ({ gates }) => <GateBadge of={gates} /> },
  {
    id: 'shadow',
    head: 'Beside the champion',
    csv: ({ shadow }) => shadow?.verdict ?? null,
    cell: ({ shadow }) =>
      shadow === null ? <span class="soft">–</span> : `${shadow.verdict}, ${shadow.observations} forecasts`,
  },
  {
    id: 'data',
    head: 'Trained on',
    isMinor: true,
    csv: ({ dataFrom, dataTo }) => `${dataFrom}/${dataTo}`,
    cell: ({ dataFrom, dataTo, markets, simulated }) =>
      `${markets}${simulated ? ' simulated' : ''} markets, ${timeText(dataFrom).slice(0, 10)} to ${timeText(dataTo).slice(0, 10)}`,
  },
  {
    id: 'createdAt',
    head: 'Made',
    isMinor: true,
    by: ({ createdAt }) => createdAt,
    cell: ({ createdAt }) => timeText(createdAt).slice(0, 10),
  },
];

type Run = TrainingRuns['runs'][number];

const RUN_COLUMNS: readonly Column<Run>[] = [
  {
    id: 'startedAt',
    head: 'Started',
    by: ({ startedAt }) => startedAt,
    cell: ({ startedAt }) => timeText(startedAt),
  },
  {
    id: 'result',
    head: 'Result',
    by: ({ result }) => result,
    cell: ({ result }) => (
      <span class={`badge ${result === 'succeeded' ? 'good' : result === 'failed' ? 'bad' : ''}`}>
        {result}
      </span>
    ),
  },
  { id: 'trigger', head: 'Started by', by: ({ trigger }) => trigger, cell: ({ trigger }) => trigger },
  {
    id: 'modelVersion',
    head: 'Made',
    by: ({ modelVersion }) => modelVersion,
    cell: ({ modelVersion }) =>
      modelVersion === null ? '–' : <a href={linkTo(['models', modelVersion])}>{modelVersion}</a>,
  },
  {
    id: 'message',
    head: 'What it said',
    isWrapped: true,
    csv: ({ message }) => message,
    cell: ({ message }) => <span class="soft">{message}</span>,
  },
];
