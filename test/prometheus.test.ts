import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { dashboardFiles } from '../ops/grafana/make-dashboards.ts';
import { ROOT } from './repository.ts';
import { type Served, serve } from './run-plimsoll.ts';
import { hasPrometheus, promtool, type RunningPrometheus, startPrometheus, WHERE } from './run-prometheus.ts';

interface QueryResult {
  readonly result: readonly {
    readonly metric: Readonly<Record<string, string>>;
    readonly value: readonly [number, string];
  }[];
}

interface Rule {
  readonly name: string;
  readonly type: 'alerting' | 'recording';
  readonly health: 'ok' | 'unknown' | 'err';
  readonly state?: 'inactive' | 'pending' | 'firing';
}

describe.skipIf(!hasPrometheus)(`a real Prometheus beside a real service${WHERE}`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'plimsoll-scraped-'));
  let service: Served | undefined;
  let prometheus: RunningPrometheus | undefined;

  beforeAll(async () => {
    service = await serve(join(folder, 'var'));
    await service.inForce;
    prometheus = await startPrometheus(new URL(service.url).host, [
      join(ROOT, 'ops/prometheus/rules/*.yaml'),
    ]);
  });
  afterAll(async () => {
    await prometheus?.end();
    await service?.end('SIGTERM');
    rmSync(folder, { recursive: true, force: true });
  });

  const ask = <T>(path: string): Promise<T> => prometheus?.ask<T>(path) as Promise<T>;

  /** Asks until there is an answer; the time limit of the test ends it. */
  async function query(expression: string): Promise<QueryResult['result']> {
    for (;;) {
      const { result } = await ask<QueryResult>(`/api/v1/query?query=${encodeURIComponent(expression)}`);
      if (result.length > 0) return result;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }

  test('scrapes it and answers from what it scraped', async () => {
    const limits = (await (await fetch(`${service?.url}/v1/limits`)).json()) as { total: number };
    const [markets] = await query('plimsoll_limits_markets');
    expect(Number(markets.value[1])).toBe(limits.total);
    const { activeTargets } = await ask<{ activeTargets: { health: string; lastError: string }[] }>(
      '/api/v1/targets',
    );
    expect(activeTargets).toMatchObject([{ health: 'up', lastError: '' }]);
  });

  test('was sent OpenMetrics, because it asks for it, and took every name that the text has', async () => {
    await query('plimsoll_limits_markets');
    // Only in OpenMetrics is a counter described without its suffix.
    const described = await ask<Record<string, { type: string; help: string }[]>>('/api/v1/metadata');
    expect(described.plimsoll_decisions).toMatchObject([{ type: 'counter' }]);
    expect(Object.entries(described).filter(([, [{ help }]]) => help === '')).toEqual([]);
    const text = await (await fetch(`${service?.url}/metrics`)).text();
    const inText = new Set([...text.matchAll(/^(plimsoll_\w+)/gm)].map(([name]) => name));
    const missing = async (): Promise<string[]> => {
      const taken = await ask<string[]>('/api/v1/label/__name__/values');
      return [...inText].filter((name) => !taken.includes(name));
    };
    // What the last request added is there with the next scrape.
    await expect.poll(missing, { timeout: 30_000 }).toEqual([]);
  });

  test('runs every rule of ours on it, and none wakes anybody over a service that has just started', async () => {
    const recorded = await query('plimsoll:objective:ratio');
    expect(recorded.map(({ metric }) => metric.objective).sort()).toEqual([
      'availability',
      'checks',
      'reads',
    ]);
    const rules = async (): Promise<Rule[]> =>
      (await ask<{ groups: { rules: Rule[] }[] }>('/api/v1/rules')).groups.flatMap((group) => group.rules);
    let found = await rules();
    while (found.some(({ health }) => health === 'unknown')) {
      await new Promise((resolve) => setTimeout(resolve, 200));
      found = await rules();
    }
    expect(found.length).toBeGreaterThan(50);
    expect(found.filter(({ health }) => health !== 'ok')).toEqual([]);
    expect(found.filter(({ type, state }) => type === 'alerting' && state === 'firing')).toEqual([]);
  });

  test('understands every query of the dashboards', async () => {
    const texts = [...dashboardFiles().values()];
    const expressions = texts.flatMap((text) =>
      (JSON.parse(text) as { panels: { targets?: { expr: string }[] }[] }).panels.flatMap(
        ({ targets = [] }) => targets.map(({ expr }) => expr),
      ),
    );
    expect(expressions.length).toBeGreaterThan(60);
    for (const expression of expressions)
      await ask<QueryResult>(`/api/v1/query?query=${encodeURIComponent(expression)}`);
  });

  test('its checker finds no fault with the names, units and texts of the metrics', async () => {
    const text = await (await fetch(`${service?.url}/metrics`)).text();
    expect(promtool(['check', 'metrics'], text)).toEqual({ code: 0, output: '' });
  });
});
