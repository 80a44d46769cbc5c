import { isoTime } from '../clock.ts';
import type { LimitBook, MarketLimit } from '../limits/types.ts';
import { formatWhole } from '../units.ts';

/** The page at `/`: every market at one glance, made from the book like every other read. No script, no network. */
export function overviewPage(book: LimitBook, isExpired: boolean): string {
  const isDegraded = book.degraded || isExpired;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Plimsoll – leverage limits</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/assets/overview.css">
</head>
<body>
<header>
<h1>Plimsoll</h1>
<p>Leverage limits, version ${book.version}, decided ${isoTime(book.decidedAt)} on data until ${isoTime(book.asOf)}, valid until ${isoTime(book.validUntil)}.</p>
${book.simulated ? '<p class="notice simulated" role="status">Simulated markets: invented prices for a first look. Import real history to replace them.</p>' : ''}
${isDegraded ? `<p class="notice degraded" role="alert">Degraded: ${escapeHtml(isExpired ? 'the validity of these limits is over' : book.reasons.join(', '))}. Limits are held or tightened, never loosened.</p>` : ''}
</header>
<main>
<table>
<caption>${book.markets.length} markets</caption>
<thead><tr><th scope="col">Market</th><th scope="col" class="number">Leverage</th><th scope="col">Binding bound</th><th scope="col">Move</th><th scope="col" class="number">Shock long</th><th scope="col" class="number">Shock short</th><th scope="col" class="number">Largest position</th><th scope="col">Data</th><th scope="col">Why</th></tr></thead>
<tbody>
${book.markets.map(marketRow).join('\n')}
</tbody>
</table>
</main>
<footer><p><a href="/docs">API documentation</a> · <a href="/v1/limits">limits as JSON</a> · <a href="/metrics">metrics</a> · hash <code>${book.hash.slice(0, 16)}</code> · model <code>${escapeHtml(book.model ?? 'classical only')}</code></p></footer>
</body>
</html>
`;
}

function marketRow(market: MarketLimit): string {
  const { symbol, brackets, shockProbability } = market;
  const largest = Number(formatWhole(brackets[brackets.length - 1].notionalCap)).toLocaleString('en-US');
  return `<tr><th scope="row"><a href="/v1/markets/${symbol}/brackets">${symbol}</a></th><td class="number"><strong>${brackets[0].maxLeverage}x</strong></td><td>${escapeHtml(market.bindingBound)}</td><td>${market.governor.move}</td><td class="number">${percent(shockProbability.long)}</td><td class="number">${percent(shockProbability.short)}</td><td class="number">${largest}</td><td>${market.quality}</td><td><a href="/v1/markets/${symbol}/explain">explain</a></td></tr>`;
}

function percent(probability: number | null): string {
  if (probability === null) return '–';
  return `${(100 * probability).toFixed(2)} %`;
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}

export const OVERVIEW_STYLE = `
:root { color-scheme: light dark; --line: light-dark(#d5dbe1, #38424c); --soft: light-dark(#f3f6f8, #1a2026); --ink: light-dark(#17212b, #e4eaf0); --paper: light-dark(#ffffff, #11161b); --accent: light-dark(#0b5cad, #7db8f5); }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 72rem; padding: 1.5rem; font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); }
h1 { margin: 0; font-size: 1.6rem; }
header p { margin: .3rem 0; }
a { color: var(--accent); }
.notice { padding: .5rem .8rem; border-radius: .4rem; border: 1px solid; }
.simulated { border-color: light-dark(#8a6d00, #d6b84a); background: light-dark(#fff8df, #2b2510); }
.degraded { border-color: light-dark(#a3271b, #ef8f85); background: light-dark(#fdeeec, #331512); }
main { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; margin: 1rem 0; }
caption { text-align: left; padding: .3rem 0; }
th, td { padding: .35rem .6rem; border-bottom: 1px solid var(--line); text-align: left; white-space: nowrap; }
thead th { background: var(--soft); font-weight: 600; }
.number { text-align: right; font-variant-numeric: tabular-nums; }
`;
