import { ALARM_DIRECTIONS, type CoverageAlarmState, tierEvidence } from '../control/coverage-alarms.ts';
import type { DriftReport } from '../control/drift-watch.ts';
import { CONFIDENCES } from '../forecast/predictor.ts';
import type { Levels, MetricMaker } from './governance-metrics.ts';

/** How far published forecasts hold: evidence against their coverage, and drift from what the model was trained on. */
export class ForecastMetrics {
  readonly #alarm: Levels;
  readonly #evidence: Levels;
  readonly #pValue: Levels;
  readonly #features: Levels;
  readonly #residuals: Levels;
  readonly #scores: Levels;
  readonly #drifted: Levels;

  constructor({ levels }: MetricMaker) {
    const tier = ['confidence', 'horizon', 'direction'];
    this.#alarm = levels(
      'coverage_alarm',
      '1 while an alarm of coverage stands that is valid at any time',
      tier,
    );
    this.#evidence = levels(
      'coverage_e_value',
      'Evidence that VaR is exceeded too often, or overstated; 100 raises the alarm',
      tier,
    );
    this.#pValue = levels(
      'coverage_p_value',
      'Valid at any time: one over the mean e-value of the horizons, at most 1; small is evidence against VaR',
      ['test', 'confidence'],
    );
    this.#features = levels(
      'feature_drift_psi',
      'Population stability index of a feature, the last 30 days against the training span',
      ['feature'],
    );
    this.#residuals = levels('residual_drift_psi', 'The same of A / VaR at 95 %', ['horizon']);
    this.#scores = levels(
      'score_drift_ratio',
      'Mean score of the last 30 days over that of the training span',
      ['horizon'],
    );
    this.#drifted = levels('drift_beyond_bound', 'How much has drifted beyond its bound', []);
    this.#drifted.set({}, 0);
    for (const test of ALARM_DIRECTIONS)
      for (const confidence of CONFIDENCES) this.#pValue.set({ test, confidence: String(confidence) }, 1);
  }

  coverage({ tiers }: CoverageAlarmState): void {
    for (const direction of ALARM_DIRECTIONS) {
      for (const tier of tiers) {
        const labels = { confidence: String(tier.confidence), horizon: String(tier.horizonHours), direction };
        this.#alarm.set(labels, tier.alarmedAt[direction] === null ? 0 : 1);
        this.#evidence.set(labels, tierEvidence(tier, direction));
      }
      for (const confidence of CONFIDENCES) {
        // The mean of e-values is an e-value, however the horizons depend on each other.
        const own = tiers.filter((tier) => tier.confidence === confidence);
        const sum = own.reduce((total, tier) => total + tierEvidence(tier, direction), 0);
        const pValue = own.length === 0 ? 1 : Math.min(1, own.length / sum);
        this.#pValue.set({ test: direction, confidence: String(confidence) }, pValue);
      }
    }
  }

  /** Null while the window is too short to tell. */
  drift(report: DriftReport | null): void {
    for (const gauge of [this.#features, this.#residuals, this.#scores]) gauge.reset();
    this.#drifted.set({}, report?.drifted.length ?? 0);
    if (report === null) return;
    for (const { name, index } of report.features) this.#features.set({ feature: name }, index);
    for (const { horizonHours, index } of report.residuals)
      this.#residuals.set({ horizon: String(horizonHours) }, index);
    for (const { horizonHours, ratio } of report.scores)
      this.#scores.set({ horizon: String(horizonHours) }, ratio);
  }
}
