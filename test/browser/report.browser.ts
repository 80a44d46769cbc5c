import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { judge } from '../../training/judge/judge.ts';
import { permutationImportance } from '../../training/report/importance.ts';
import { runReport } from '../../training/report/report.ts';
import { simulatedRun } from '../simulated-run.ts';

const CHROMIUM = '/usr/bin/chromium';
const isThere = existsSync(CHROMIUM);
if (!isThere) process.stderr.write(`skipped: ${CHROMIUM} is not installed (apt-get install chromium)\n`);

describe.skipIf(!isThere)('a report in a real browser, from a file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'plimsoll-report-'));
  const file = join(folder, 'report.html');
  let browser: Browser;
  let page: Page;
  const complaints: string[] = [];

  beforeAll(async () => {
    const run = simulatedRun({ markets: 8, origins: 400 });
    const importance = await permutationImportance(
      async (features) => features[1],
      new Float64Array(560),
      10,
      1,
    );
    const html = runReport({
      version: '20240101-0badcafe',
      madeAt: '2026-01-01T00:00:00.000Z',
      simulated: true,
      verdict: { isGood: false, title: 'Not promoted', sentence: 'One gate failed.' },
      gates: [
        { name: 'joint loss', passed: true, measured: '2.97', bound: '≤ 3.00', detail: 'FZ0 at 99 %' },
        { name: 'stress', passed: false, measured: '1.4 %', bound: '≤ 1.2 %', detail: 'SIM3USDT, long 24 h' },
      ],
      judgement: judge(run.outcomes, run.forecasts, 'true-model', 24),
      ...run,
      candidate: 'true-model',
      champion: 'too-low',
      importance,
      lineage: [['seed', '1']],
      command: 'plimsoll train --seeds 1',
    });
    writeFileSync(file, html);
    browser = await chromium.launch({
      executablePath: CHROMIUM,
      args: ['--no-sandbox', '--disable-quic', '--disable-background-networking'],
    });
    page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
    page.on('console', (message) => complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('request', (request) => {
      if (request.url() !== pathToFileURL(file).href && !request.url().startsWith('data:'))
        complaints.push(`a request left for ${request.url()}`);
    });
    await page.goto(pathToFileURL(file).href);
  });

  afterAll(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test('draws the market with the most exceedances, without a complaint or a request', async () => {
    expect(await page.locator('[role=status]').first().innerText()).toContain('Not promoted');
    const words = await page.locator('#explorer-words').innerText();
    expect(words).toMatch(/^SIM\dUSDT, 24 h: \d+ of 800 forecasts exceeded/);
    const marks = Number(/: (\d+) of/.exec(words)?.[1]);
    expect(await page.locator('#explorer-chart .miss').count()).toBe(marks);
    expect(complaints).toEqual([]);
  });

  test('draws another market and another horizon when they are chosen', async () => {
    const market = page.locator('#explorer-market');
    await market.selectOption({ index: 3 });
    await page.locator('#explorer-horizon').selectOption({ label: '1 h' });
    const chosen = await page.evaluate(
      "document.querySelector('#explorer-market').selectedOptions[0].textContent",
    );
    const words = await page.locator('#explorer-words').innerText();
    expect(words.startsWith(`${String(chosen).split(' ')[0]}, 1 h:`)).toBe(true);
  });

  test('sorts a table by number, both ways, and says which way it is sorted', async () => {
    const table = page.locator('#misses table');
    const head = table.locator('thead th').nth(4);
    const losses = async (): Promise<number[]> =>
      (await table.locator('tbody tr td:nth-child(5)').allInnerTexts()).map((text) =>
        Number.parseFloat(text),
      );
    await head.locator('button').click();
    expect(await head.getAttribute('aria-sort')).toBe('descending');
    const down = await losses();
    expect(down).toEqual(down.toSorted((a, b) => b - a));
    await head.locator('button').click();
    expect(await head.getAttribute('aria-sort')).toBe('ascending');
    expect(await losses()).toEqual(down.toSorted((a, b) => a - b));
  });

  test('fits a phone: tables scroll within themselves, the page does not', async () => {
    await page.setViewportSize({ width: 390, height: 800 });
    const overflow = await page.evaluate(
      'document.documentElement.scrollWidth - document.documentElement.clientWidth',
    );
    expect(overflow).toBe(0);
    await page.waitForFunction("document.querySelector('#explorer-chart svg').clientWidth < 390");
    await page.setViewportSize({ width: 1280, height: 900 });
  });

  test('is readable in both schemes: words stand out by 4.5 to 1 and more', async () => {
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      for (const name of ['body', 'figcaption', 'td.good', 'nav a', '.verdict strong', '.tiles span'])
        expect([colorScheme, name, await contrast(page, name)]).toEqual([colorScheme, name, 'enough']);
    }
    expect(complaints).toEqual([]);
  });
});

/** `enough`, or the ratio of the luminances of an element's words and of what is behind them (WCAG 2.2, 1.4.3). */
async function contrast(page: Page, selector: string): Promise<string> {
  const ratio = await page.evaluate(`(() => {
    const element = document.querySelector(${JSON.stringify(selector)});
    const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
    const channels = (colour) => {
      canvas.clearRect(0, 0, 1, 1);
      canvas.fillStyle = colour;
      canvas.fillRect(0, 0, 1, 1);
      return canvas.getImageData(0, 0, 1, 1).data;
    };
    const linear = (c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    const luminance = (colour) => {
      const [r, g, b] = [...channels(colour)].map((c) => linear(c / 255));
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    let behind = element;
    while (behind.parentElement && channels(getComputedStyle(behind).backgroundColor)[3] === 0) behind = behind.parentElement;
    const [a, b] = [luminance(getComputedStyle(element).color), luminance(getComputedStyle(behind).backgroundColor)];
    return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  })()`);
  return Number(ratio) >= 4.5 ? 'enough' : String(ratio);
}
