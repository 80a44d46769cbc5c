/** Units as Grafana names them. */
export type Unit = 'none' | 'percentunit' | 's' | 'reqps' | 'bytes' | 'dateTimeFromNow' | 'x';

export interface Query {
  readonly expr: string;
  /** With labels in double braces; empty where one series needs no name. */
  readonly legend: string;
}

export interface Panel {
  readonly title: string;
  /** What is good and what is not, for somebody who sees it for the first time. */
  readonly description: string;
  readonly kind: 'lines' | 'number' | 'name';
  readonly unit: Unit;
  readonly queries: readonly Query[];
  /** Of the 24 columns of a row. */
  readonly width: number;
  /** Values from which it is yellow and red; a number turns so as a whole, lines are drawn at them. */
  readonly bounds?: { readonly warning?: number; readonly critical: number };
}

export interface Dashboard {
  readonly uid: string;
  readonly title: string;
  readonly rows: readonly { readonly title: string; readonly panels: readonly Panel[] }[];
}

/** The provisioned source of data, by the name in `provisioning/datasources`. */
const SOURCE = { type: 'prometheus', uid: 'plimsoll-prometheus' };
const KINDS = { lines: 'timeseries', number: 'stat', name: 'stat' };
const HEIGHT = 8;
const NUMBER_HEIGHT = 4;

export const lines = (
  title: string,
  unit: Unit,
  description: string,
  queries: readonly Query[],
  more: Partial<Panel> = {},
): Panel => ({ title, unit, description, queries, kind: 'lines', width: 12, ...more });

export const number = (
  title: string,
  unit: Unit,
  description: string,
  expr: string,
  more: Partial<Panel> = {},
): Panel => ({
  title,
  unit,
  description,
  queries: [{ expr, legend: '' }],
  kind: 'number',
  width: 4,
  ...more,
});

/** What is said by the labels of a series whose value is always 1. */
export const name = (title: string, description: string, expr: string, legend: string): Panel => ({
  ...{ title, description, kind: 'name', unit: 'none', width: 8 },
  queries: [{ expr, legend }],
});

/** A dashboard as Grafana reads it. */
export function grafanaOf({ uid, title, rows }: Dashboard): object {
  let id = 0;
  let top = 0;
  const panels: object[] = [];
  for (const row of rows) {
    panels.push({
      id: ++id,
      type: 'row',
      title: row.title,
      collapsed: false,
      gridPos: { h: 1, w: 24, x: 0, y: top },
      panels: [],
    });
    top++;
    let left = 0;
    let height = 0;
    for (const panel of row.panels) {
      if (left + panel.width > 24) {
        top += height;
        left = 0;
        height = 0;
      }
      const h = panel.kind === 'lines' ? HEIGHT : NUMBER_HEIGHT;
      panels.push(panelOf(panel, ++id, { h, w: panel.width, x: left, y: top }));
      left += panel.width;
      height = Math.max(height, h);
    }
    top += height;
  }
  return {
    uid,
    title: `Plimsoll: ${title}`,
    tags: ['plimsoll'],
    schemaVersion: 39,
    version: 1,
    editable: false,
    graphTooltip: 1,
    refresh: '1m',
    timezone: 'utc',
    time: { from: 'now-24h', to: 'now' },
    links: [
      {
        title: 'Plimsoll',
        type: 'dashboards',
        tags: ['plimsoll'],
        asDropdown: false,
        includeVars: true,
        keepTime: true,
      },
    ],
    annotations: {
      list: [
        {
          name: 'Decisions that failed',
          datasource: SOURCE,
          enable: true,
          iconColor: 'red',
          expr: 'increase(plimsoll_decisions_total{outcome="failed"}[1m]) > 0',
        },
      ],
    },
    panels,
  };
}

function panelOf(panel: Panel, id: number, gridPos: object): object {
  const { title, description, kind, unit, queries, bounds } = panel;
  const steps: object[] = [{ color: 'green', value: null }];
  if (bounds?.warning !== undefined) steps.push({ color: 'yellow', value: bounds.warning });
  if (bounds !== undefined) steps.push({ color: 'red', value: bounds.critical });
  const isLines = kind === 'lines';
  const custom = isLines
    ? { lineWidth: 1, fillOpacity: 5, thresholdsStyle: { mode: bounds === undefined ? 'off' : 'line' } }
    : {};
  return {
    id,
    type: KINDS[kind],
    title,
    description,
    datasource: SOURCE,
    gridPos,
    targets: queries.map(({ expr, legend }, i) => ({
      refId: String.fromCharCode('A'.charCodeAt(0) + i),
      datasource: SOURCE,
      expr,
      legendFormat: legend,
      range: isLines,
      instant: !isLines,
    })),
    fieldConfig: {
      defaults: {
        unit: unit === 'x' ? 'suffix:x' : unit,
        custom,
        thresholds: { mode: 'absolute', steps },
      },
      overrides: [],
    },
    options: isLines
      ? { legend: { displayMode: 'list', placement: 'bottom' }, tooltip: { mode: 'multi', sort: 'desc' } }
      : {
          reduceOptions: { calcs: ['lastNotNull'] },
          orientation: 'horizontal',
          colorMode: 'value',
          textMode: kind === 'name' ? 'name' : 'auto',
        },
  };
}
