import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { ROUTES } from '../src/http/routes.ts';
import { KnownMetrics } from './known-metrics.ts';
import { recordedRules, ruleFiles, rules, ruleTestFiles } from './recorded-rules.ts';
import { ROOT, textOf } from './repository.ts';
import { hasPrometheus, promtool, WHERE } from './run-prometheus.ts';

interface RuleTests {
  readonly rule_files: readonly string[];
  readonly tests: readonly {
    readonly alert_rule_test: readonly {
      readonly alertname: string;
      readonly exp_alerts: readonly object[];
    }[];
  }[];
}

const alerts = rules.filter((rule) => rule.alert !== undefined);
const recorded = recordedRules();

/** Sections of the runbook by the anchor that a reader of Markdown gives to their heading. */
const sections = new Map(
  textOf('docs/runbook.md')
    .split(/^## /m)
    .slice(1)
    .map((section) => [section.split('\n')[0].toLowerCase().replaceAll(' ', '-'), section]),
);

describe('rules', () => {
  let known: KnownMetrics;
  beforeAll(async () => {
    known = await KnownMetrics.make();
  });

  test('ask for metrics, labels and values that there are, so that none is silent for ever', () => {
    expect(rules.length).toBeGreaterThan(50);
    const faults = rules.flatMap(({ alert, record, expr }) =>
      known.faults(expr, recorded).map((fault) => `${alert ?? record}: ${fault}`),
    );
    expect(faults).toEqual([]);
  });

  test.each([
    ['a metric that is not there', 'plimsoll_limit_degraded == 1'],
    ['a label that it does not have', 'plimsoll_interventions_total{type="liquidation"}'],
    ['a value that it never has', 'plimsoll_interventions_total{kind=~"liquidate|backstop"}'],
    [
      'an edge that the histogram does not have',
      'plimsoll_http_request_duration_seconds_bucket{route="/v1/checks",le="0.004"}',
    ],
    ['a route that is not there', 'plimsoll_http_request_duration_seconds_count{route="/v1/check"}'],
    ['a label that nothing has to group by', 'sum by (market) (plimsoll_limits_markets)'],
    ['a rule that nobody records', 'plimsoll:http_errors:ratio_rate2m'],
  ])('that ask for %s would be found', (_, expression) => {
    expect(known.faults(expression, recorded)).toHaveLength(1);
  });
});

describe('the runbook', () => {
  const page = textOf('docs/runbook.md');

  test('asks for metrics, commands and routes that there are', async () => {
    const known = await KnownMetrics.make();
    const queries = page.split('\n').filter((line) => /plimsoll[_:]/.test(line));
    expect(queries.length).toBeGreaterThan(30);
    const inline = (line: string): string[] =>
      line.includes('`') ? [...line.matchAll(/`([^`]*)`/g)].map(([, code]) => code) : [line];
    const codes = queries.flatMap(inline).filter((code) => /plimsoll[_:]/.test(code));
    expect(codes.flatMap((code) => known.faults(code, recorded))).toEqual([]);
    const commands = textOf('docs/commands.md');
    const verbs = [...page.matchAll(/^plimsoll (\w+)|`plimsoll (\w+)/gm)].map(([, a, b]) => a ?? b);
    expect(verbs.filter((verb) => verb !== 'VERB' && !commands.includes(`\`plimsoll ${verb}`))).toEqual([]);
    const routes = [...page.matchAll(/(GET|POST) (\/v1\/[\w/-]+)/g)].map(
      ([, method, path]) => `${method.toLowerCase()} ${path}`,
    );
    const all = ROUTES.map(({ method, path }) => `${method} ${path}`);
    expect(routes.length).toBeGreaterThan(5);
    expect(routes.filter((route) => !all.includes(route))).toEqual([]);
  });

  test('links to its own sections by names that they have', () => {
    const links = [...page.matchAll(/\]\(#([\w-]+)\)/g)].map(([, anchor]) => anchor);
    expect(links.filter((anchor) => !sections.has(anchor))).toEqual([]);
  });
});

describe('every alert', () => {
  test('has one name, a severity that says whether somebody is woken, and a sentence', () => {
    const names = alerts.map(({ alert }) => alert);
    expect(new Set(names).size).toBe(names.length);
    for (const { alert, labels = {}, annotations = {} } of alerts) {
      expect([alert, labels.severity]).toEqual([alert, expect.stringMatching(/^(page|ticket)$/)]);
      expect([alert, annotations.summary?.length > 20]).toEqual([alert, true]);
    }
  });

  test('leads to a section of the runbook that names it and says all that is asked at night', () => {
    const reached = new Set<string>();
    for (const { alert, labels = {}, annotations = {} } of alerts) {
      const [file, anchor] = annotations.runbook_url.split('#');
      expect(file).toBe('docs/runbook.md');
      const section = sections.get(anchor) ?? '';
      expect([alert, section.includes(`\`${alert}\` (${labels.severity})`)]).toEqual([alert, true]);
      for (const part of ['Means', 'See', 'Do', 'Freeze', 'Hurts'])
        expect([alert, part, section.includes(`**${part}**`)]).toEqual([alert, part, true]);
      reached.add(anchor);
    }
    expect([...sections.keys()].filter((anchor) => !reached.has(anchor))).toEqual([]);
  });

  test('has a case in which it fires and one in which it is silent', () => {
    const cases = ruleTestFiles.flatMap((file) =>
      (parse(textOf(file)) as RuleTests).tests.flatMap((one) => one.alert_rule_test),
    );
    const without = (isFiring: boolean) =>
      alerts
        .map(({ alert }) => alert)
        .filter(
          (alert) =>
            !cases.some(
              ({ alertname, exp_alerts }) => alertname === alert && exp_alerts.length > 0 === isFiring,
            ),
        );
    expect(without(true)).toEqual([]);
    expect(without(false)).toEqual([]);
  });

  test('that follows an objective follows the number that docs/operations.md promises', () => {
    const page = textOf('docs/operations.md');
    for (const { record, expr, labels = {} } of rules) {
      if (record !== 'plimsoll:objective:ratio') continue;
      const percent = `${Number((Number(/[\d.]+/.exec(expr)?.[0]) * 100).toFixed(3))} %`;
      expect(page).toContain(`| ${labels.objective} | ${percent} |`);
    }
  });
});

describe.skipIf(!hasPrometheus)(`promtool${WHERE}`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'plimsoll-promtool-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('finds no fault in the rules', () => {
    const { code, output } = promtool(['check', 'rules', ...ruleFiles.map((file) => join(ROOT, file))]);
    expect(output).not.toMatch(/FAILED|duplicate/);
    expect(code).toBe(0);
  });

  test('finds no fault in the configuration, once its key is there', () => {
    cpSync(join(ROOT, 'ops/prometheus'), folder, { recursive: true });
    const key = join(folder, 'reader.key');
    writeFileSync(key, 'a key');
    const path = join(folder, 'prometheus.yml');
    writeFileSync(path, readFileSync(path, 'utf8').replace('/run/secrets/plimsoll_reader_key', key));
    const { code, output } = promtool(['check', 'config', path]);
    expect([code, output]).toEqual([0, expect.stringContaining(`${ruleFiles.length} rule files found`)]);
  });

  test.each(ruleTestFiles)('agrees with every case of %s', (file) => {
    const { code, output } = promtool(['test', 'rules', join(ROOT, file)]);
    expect([code, output]).toEqual([0, expect.stringContaining('SUCCESS')]);
  });
});
