/**
 * The script of the page: sorts tables and draws the chosen market. Plain text, because it runs in the reader's browser; its
 * hash is in the page's policy, so that nothing else can run there.
 */
export const REPORT_SCRIPT = `'use strict';
(() => {
  const compare = (a, b) => (typeof a === 'number' && typeof b === 'number' ? a - b : String(a).localeCompare(String(b)));
  const valueOf = (cell) => {
    if (cell === undefined) return '';
    if (cell.dataset.sort !== undefined) return Number(cell.dataset.sort);
    return cell.textContent;
  };
  for (const table of document.querySelectorAll('table.sortable')) {
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      head.querySelector('button').addEventListener('click', () => {
        const isDescending = head.getAttribute('aria-sort') === 'ascending';
        const isNumeric = head.classList.contains('n');
        const down = head.getAttribute('aria-sort') === null ? isNumeric : isDescending;
        for (const other of heads) other.removeAttribute('aria-sort');
        head.setAttribute('aria-sort', down ? 'descending' : 'ascending');
        const rows = [...table.tBodies[0].rows];
        const missing = (value) => value === '–' || value === '';
        rows.sort((a, b) => {
          const [x, y] = [valueOf(a.cells[column]), valueOf(b.cells[column])];
          if (missing(x) || missing(y)) return missing(x) - missing(y);
          return down ? compare(y, x) : compare(x, y);
        });
        table.tBodies[0].append(...rows);
      });
    });
  }

  const source = document.getElementById('explorer-data');
  if (source === null) return;
  const data = JSON.parse(source.textContent);
  const place = document.getElementById('explorer-chart');
  const words = document.getElementById('explorer-words');
  const marketSelect = document.getElementById('explorer-market');
  const horizonSelect = document.getElementById('explorer-horizon');
  const HOUR = 3600000;
  const SVG = 'http://www.w3.org/2000/svg';
  const make = (name, attributes, text) => {
    const element = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    if (text !== undefined) element.textContent = text;
    return element;
  };
  const percent = (share, digits) => (100 * share).toFixed(digits) + ' %';
  const prices = (low, high) => {
    const power = 10 ** Math.floor(Math.log10(low));
    if (high / low > 8) return [0, 1, 2, 3, 4, 5].flatMap((e) => [1, 2, 5].map((f) => f * power * 10 ** e)).filter((v) => v > low && v < high);
    const rough = (high - low) / 6;
    const unit = 10 ** Math.floor(Math.log10(rough));
    const step = unit * [1, 2, 5, 10].find((f) => f * unit >= rough);
    return Array.from({ length: 12 }, (_, i) => (Math.ceil(low / step) + i) * step).filter((v) => v < high);
  };
  const shown = (value) => Number(value.toPrecision(4)).toString();

  function draw() {
    const market = data.markets[Number(marketSelect.value)];
    if (market === undefined) return;
    const h = Number(horizonSelect.value);
    const width = Math.max(300, Math.min(1200, place.clientWidth));
    const height = width < 600 ? 300 : 400;
    const left = 58, right = width - 10, top = 12, bottom = height - 30;
    const misses = [];
    const flat = market.e[h];
    for (let i = 0; i < flat.length; i += 5) {
      const [hour, price, side, loss, bound] = flat.slice(i, i + 5);
      const share = loss / 10000;
      misses.push({ hour, price, side, share, bound: bound / 10000, worst: side === 0 ? price * (1 - share) : price * (1 + share) });
    }
    const [long, short] = [market.v[2 * h], market.v[2 * h + 1]];
    const reach = market.p.flatMap((price, i) => (long[i] < 0 ? [price] : [price * (1 - long[i] / 10000), price * (1 + short[i] / 10000)]));
    const all = [...reach, ...misses.map((miss) => miss.worst)].filter((value) => value > 0);
    const low = Math.log(Math.min(...all)) - 0.03, high = Math.log(Math.max(...all)) + 0.03;
    const first = market.t[0], last = market.t[market.t.length - 1];
    const x = (hour) => left + ((hour - first) / Math.max(1, last - first)) * (right - left);
    const y = (price) => bottom - ((Math.log(Math.max(price, 1e-12)) - low) / (high - low)) * (bottom - top);
    const round = (value) => Math.round(10 * value) / 10;
    const svg = make('svg', { viewBox: '0 0 ' + width + ' ' + height, width, height, role: 'img', 'aria-labelledby': 'explorer-words' });
    for (const value of prices(Math.exp(low), Math.exp(high))) {
      svg.append(make('line', { class: 'grid', x1: left, x2: right, y1: round(y(value)), y2: round(y(value)) }));
      svg.append(make('text', { class: 'tick', x: left - 6, y: round(y(value) + 4), 'text-anchor': 'end' }, shown(value)));
    }
    const months = Math.max(1, Math.ceil((last - first) / 730 / (width / 90)));
    const start = new Date(first * HOUR);
    for (let month = start.getUTCMonth() + 1; ; month += months) {
      const at = Date.UTC(start.getUTCFullYear(), month, 1) / HOUR;
      if (at > last) break;
      if (x(at) > right - 22) break;
      svg.append(make('text', { class: 'tick', x: round(x(at)), y: bottom + 20, 'text-anchor': 'middle' }, new Date(at * HOUR).toISOString().slice(0, 7)));
    }
    let upper = '', lower = '';
    market.t.forEach((hour, i) => {
      if (long[i] < 0) return;
      upper += (upper === '' ? '' : 'L') + round(x(hour)) + ' ' + round(Math.max(top, y(market.p[i] * (1 + short[i] / 10000))));
      lower = round(x(hour)) + ' ' + round(Math.min(bottom, y(market.p[i] * (1 - long[i] / 10000)))) + (lower === '' ? '' : 'L') + lower;
    });
    if (upper !== '') svg.append(make('path', { class: 'ribbon band', d: 'M' + upper + 'L' + lower + 'Z' }));
    svg.append(make('path', { class: 'line ink', d: market.t.map((hour, i) => (i === 0 ? 'M' : 'L') + round(x(hour)) + ' ' + round(y(market.p[i]))).join('') }));
    for (const miss of misses) {
      const kind = miss.side === 0 ? 'long' : 'short';
      const mark = make('g', { class: 'miss ' + kind });
      const [cx, cy] = [round(x(miss.hour)), round(y(miss.worst))];
      mark.append(make('title', {}, new Date(miss.hour * HOUR).toISOString().slice(0, 16).replace('T', ' ') + ' UTC, ' + kind + ': lost ' + percent(miss.share, 2) + ', VaR ' + percent(miss.bound, 2)));
      mark.append(make('line', { x1: cx, x2: cx, y1: round(y(miss.price)), y2: cy }));
      mark.append(miss.side === 0
        ? make('path', { d: 'M' + (cx - 4) + ' ' + (cy - 4) + 'h8l-4 7z' })
        : make('path', { d: 'M' + (cx - 4) + ' ' + (cy + 4) + 'h8l-4 -7z' }));
      svg.append(mark);
    }
    svg.append(make('line', { class: 'base', x1: left, x2: right, y1: bottom, y2: bottom }));
    place.replaceChildren(svg);
    const count = market.c[h];
    const bySide = [0, 1].map((side) => misses.filter((miss) => miss.side === side).length);
    words.textContent = market.n + ', ' + data.horizons[h] + ' h: ' + misses.length + ' of ' + count + ' forecasts exceeded (' +
      percent(count === 0 ? 0 : misses.length / count, 2) + '; target ' + percent(1 - data.confidence, 1) + '), ' + bySide[0] + ' long, ' + bySide[1] + ' short.';
  }
  marketSelect.addEventListener('change', draw);
  horizonSelect.addEventListener('change', draw);
  let frame = 0;
  let drawnFor = 0;
  new ResizeObserver(() => {
    if (place.clientWidth === drawnFor) return;
    drawnFor = place.clientWidth;
    cancelAnimationFrame(frame);
    frame = requestAnimationFrame(draw);
  }).observe(place);
  draw();
})();
`;
