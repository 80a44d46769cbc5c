import { beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { DASHBOARDS, dashboardFiles } from '../ops/grafana/make-dashboards.ts';
import { KnownMetrics } from './known-metrics.ts';
import { recordedRules } from './recorded-rules.ts';
import { files, textOf } from './repository.ts';

interface Made {
  readonly uid: string;
  readonly panels: readonly {
    readonly id: number;
    readonly type: string;
    readonly title: string;
    readonly description?: string;
    readonly datasource?: { readonly uid: string };
    readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
    readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[];
  }[];
}

const made = [...dashboardFiles().values()].map((text) => JSON.parse(text) as Made);
const panels = made.flatMap((dashboard) => dashboard.panels.filter(({ type }) => type !== 'row'));

describe('the dashboards', () => {
  let known: KnownMetrics;
  beforeAll(async () => {
    known = await KnownMetrics.make();
  });

  test('that are committed are those that their source makes: npm run dashboards', () => {
    const committed = files.filter((file) => file.startsWith('ops/grafana/dashboards/'));
    const texts = new Map(committed.map((file) => [file.split('/').at(-1), textOf(file)]));
    expect(texts).toEqual(dashboardFiles());
  });

  test('ask for metrics, labels and values that there are, so that no panel is empty for ever', () => {
    expect(panels.length).toBeGreaterThan(50);
    const faults = panels.flatMap(({ title, targets = [] }) =>
      targets.flatMap(({ expr }) => known.faults(expr, recordedRules()).map((fault) => `${title}: ${fault}`)),
    );
    expect(faults).toEqual([]);
  });

  test('name series by labels that they have', () => {
    const faults = panels.flatMap(({ title, targets = [] }) =>
      targets.flatMap(({ expr, legendFormat }) => {
        const labels = [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label]) => label);
        // A query that groups by the label of a legend is right where the label is there.
        return labels.flatMap((label) =>
          known.faults(`sum by (${label}) (${expr})`, recordedRules()).map((fault) => `${title}: ${fault}`),
        );
      }),
    );
    expect(faults).toEqual([]);
  });

  test('show every metric of ours somewhere, so that none is measured for nobody', () => {
    const expressions = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)).join('\n');
    const recorded = textOf('ops/prometheus/rules/objectives.yaml');
    const own = known.names.filter((name) => !/^plimsoll_(nodejs|process)_/.test(name));
    const unseen = own.filter((name) => !expressions.includes(name) && !recorded.includes(name));
    // A setting that an alert reads.
    expect(unseen).toEqual(['plimsoll_training_interval_seconds']);
  });

  test('say in each panel what is good, read the provisioned source, and do not cover each other', () => {
    const provisioned = parse(textOf('ops/grafana/provisioning/datasources/prometheus.yaml')) as {
      datasources: { uid: string }[];
    };
    for (const dashboard of made) {
      const ids = dashboard.panels.map(({ id }) => id);
      expect(new Set(ids).size).toBe(ids.length);
      const cells = new Set<string>();
      for (const { type, title, description = '', datasource, gridPos } of dashboard.panels) {
        const { x, y, w, h } = gridPos;
        expect(x + w).toBeLessThanOrEqual(24);
        for (let column = x; column < x + w; column++) {
          for (let line = y; line < y + h; line++) {
            expect([title, cells.has(`${column} ${line}`)]).toEqual([title, false]);
            cells.add(`${column} ${line}`);
          }
        }
        if (type === 'row') continue;
        expect([title, description.length > 10]).toEqual([title, true]);
        expect(datasource?.uid).toBe(provisioned.datasources[0].uid);
      }
    }
    expect(new Set(DASHBOARDS.map(({ uid }) => uid)).size).toBe(DASHBOARDS.length);
  });
});
