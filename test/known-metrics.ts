import { newAlarms } from '../src/control/coverage-alarms.ts';
import { ROUTES } from '../src/http/routes.ts';
import { decideBook } from '../src/limits/decide.ts';
import { context, largeMarket } from '../src/limits/test-inputs.ts';
import { Metrics } from '../src/metrics/metrics.ts';
import { readsOf } from './promql.ts';

/** What a scrape adds to every series. */
const SCRAPED = ['job', 'instance'];

/** Every metric that there is with its labels, and the values of those labels that are known before anything happens. */
export class KnownMetrics {
  readonly #labels = new Map<string, ReadonlySet<string>>();
  /** By name and label. */
  readonly #values = new Map<string, Set<string>>();
  readonly names: readonly string[];

  private constructor(metrics: Metrics, text: string) {
    this.names = metrics.described().map(({ name }) => name);
    for (const { name, type, labelNames } of metrics.described()) {
      const labels = new Set([...labelNames, ...SCRAPED]);
      this.#labels.set(name, labels);
      if (type !== 'histogram') continue;
      for (const suffix of ['_sum', '_count']) this.#labels.set(name + suffix, labels);
      this.#labels.set(`${name}_bucket`, new Set([...labels, 'le']));
    }
    for (const [, name, labels] of text.matchAll(/^(\w+)\{(.*)\} \S+$/gm)) {
      for (const [, label, value] of labels.matchAll(/(\w+)="([^"]*)"/g)) {
        const key = `${name} ${label}`;
        this.#values.set(key, (this.#values.get(key) ?? new Set()).add(value));
      }
    }
  }

  static async make(): Promise<KnownMetrics> {
    const metrics = new Metrics({ watchList: ['BTCUSDT'], version: '1' });
    metrics.forecasts.coverage(newAlarms('shock-network@1'));
    metrics.bookInForce(decideBook([largeMarket()], null, context({})));
    for (const { path, method } of ROUTES) metrics.observeRequest(path, method.toUpperCase(), 200, 0.001);
    for (const path of ['/metrics', '/']) metrics.observeRequest(path, 'GET', 200, 0.001);
    const { text } = await metrics.scrape({ isDegraded: false, auditEntries: 0 });
    return new KnownMetrics(metrics, text);
  }

  /**
   * What a query asks for that does not exist.
   *
   * @param recorded names that rules record, with their labels where they have any.
   */
  faults(expression: string, recorded: ReadonlyMap<string, readonly string[]>): string[] {
    const { selectors, grouping } = readsOf(expression);
    const reachable = new Set(SCRAPED);
    const faults: string[] = [];
    for (const { name, labels } of selectors) {
      const own = this.#labels.get(name) ?? (recorded.has(name) ? new Set(recorded.get(name)) : null);
      if (own === null) {
        faults.push(`there is no ${name}`);
        continue;
      }
      for (const label of own) reachable.add(label);
      for (const { label, values } of labels) {
        if (!own.has(label)) faults.push(`${name} has no label ${label}`);
        const known = this.#values.get(`${name} ${label}`);
        // Sources and markets are known when they come; of closed lists every value is there from the start.
        for (const value of values ?? [])
          if (
            known !== undefined &&
            !known.has(value) &&
            !OPEN_LABELS.includes(label) &&
            !value.includes('$')
          )
            faults.push(`${name} never has ${label}="${value}"`);
      }
    }
    for (const label of grouping)
      if (!reachable.has(label)) faults.push(`nothing there has a label ${label}`);
    return faults;
  }
}

const OPEN_LABELS = ['symbol', 'code', 'version', 'source'];
