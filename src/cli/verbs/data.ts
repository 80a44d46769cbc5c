import { BarStore } from '../../../data/bar-store.ts';
import type { SeriesSummary } from '../../../data/ports.ts';
import { judgeQuality } from '../../../data/quality.ts';
import { formatInterval } from '../../../data/series.ts';
import { isoTime } from '../../clock.ts';
import { loadConfig } from '../../config.ts';
import { PlimsollError } from '../../errors.ts';
import { type CliContext, type CommonOptions, table } from '../command.ts';

/** What is stored, and how good the newest month of each market is at the newest bar of all. */
export async function showData(context: CliContext, { json, ...flags }: CommonOptions): Promise<void> {
  const store = await BarStore.open(loadConfig(flags).values.dataDir);
  try {
    const series = await store.catalogue();
    if (series.length === 0) {
      throw new PlimsollError('DATA_INSUFFICIENT', 'nothing is stored yet', {
        remedy: 'Import history (plimsoll import PATH), or start the service once for simulated markets.',
      });
    }
    const qualities = await qualityBySeries(store);
    const rows = series.map((one) => ({ ...summary(one), quality: qualities.get(one.id) ?? null }));
    if (json === true) context.printJson({ total: rows.length, series: rows });
    else context.print(asTable(rows));
  } finally {
    store.close();
  }
}

interface Quality {
  readonly grade: string;
  readonly findings: readonly string[];
}

/** Only the series that decide a market are judged, as the decision judges them. */
async function qualityBySeries(store: BarStore): Promise<Map<string, Quality>> {
  const markets = await store.loadMarkets();
  const newest = markets.map(({ bars }) => bars.openTime[bars.length - 1] + bars.intervalMilliseconds);
  const asOf = newest.reduce((latest, close) => Math.max(latest, close), 0);
  return new Map(
    markets.map((market) => {
      const { grade, findings } = judgeQuality(market, asOf);
      return [market.source, { grade, findings: findings.map(({ code, detail }) => `${code}: ${detail}`) }];
    }),
  );
}

function summary(series: SeriesSummary) {
  const { intervalMilliseconds, from, to, rows } = series;
  const slots = Math.round((to - from) / intervalMilliseconds) + 1;
  return {
    symbol: series.symbol,
    venue: series.venue,
    kind: series.kind,
    interval: formatInterval(intervalMilliseconds),
    from: isoTime(from),
    to: isoTime(to),
    rows,
    gaps: Math.max(0, slots - rows),
    simulated: series.simulated,
  };
}

function asTable(rows: readonly (ReturnType<typeof summary> & { quality: Quality | null })[]): string {
  const header = ['market', 'venue', 'kind', 'interval', 'from', 'to', 'rows', 'gaps', 'quality'];
  const cells = rows.map((row) => [
    row.symbol,
    row.simulated ? `${row.venue} (simulated)` : row.venue,
    row.kind,
    row.interval,
    row.from.slice(0, 16),
    row.to.slice(0, 16),
    String(row.rows),
    String(row.gaps),
    row.quality === null ? '' : [row.quality.grade, ...row.quality.findings].join('; '),
  ]);
  return table(header, cells);
}
