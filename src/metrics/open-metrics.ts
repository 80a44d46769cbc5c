export const OPEN_METRICS_TYPE = 'application/openmetrics-text; version=1.0.0; charset=utf-8';

/**
 * The OpenMetrics form of a Prometheus text: a counter's family is named without the `_total` of its samples, there are no empty
 * lines, and the end is said. The client library can write it too, but renames its counters for good when it does.
 */
export function openMetricsOf(text: string): string {
  const lines = text.split('\n').filter((line) => line !== '');
  return `${lines.map((line) => line.replace(/^(# (?:HELP|TYPE) \w+?)_total /, '$1 ')).join('\n')}\n# EOF\n`;
}
