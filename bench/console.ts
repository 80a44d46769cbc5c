import type { Browser, Page } from 'playwright-core';
import { manyMarkets, TestService } from '../src/http/test-service.ts';
import { openBrowser, openPage } from '../test/browser/console.ts';
import { median, print } from './measure.ts';

/**
 * The console in a real browser: what one load costs, and whether the page of all markets scrolls as an empty page of the same
 * height does. Frames are counted where the browser draws without a graphics card, so the empty page is the baseline.
 */
const MARKETS = 500;
const LOADS = 7;
const SCROLL_SECONDS = 4;
/** A strong turn of a wheel: four screens a second. */
const SCROLL_PIXELS_PER_SECOND = 3600;
const FRAME_MILLISECONDS = 1000 / 60;

/** Steps of the wheel over the page, one each frame, with the time between frames. */
const SCROLL = `new Promise((resolve) => {
  const deltas = [];
  const began = performance.now();
  let before = began;
  const step = (now) => {
    deltas.push(now - before);
    before = now;
    const { scrollHeight } = document.documentElement;
    scrollTo(0, Math.min(((now - began) / 1000) * ${SCROLL_PIXELS_PER_SECOND}, scrollHeight - innerHeight));
    if (now - began < ${SCROLL_SECONDS * 1000}) requestAnimationFrame(step);
    else resolve(deltas.slice(2));
  };
  requestAnimationFrame(step);
})`;

const service = await TestService.start({ books: 0 });
await service.publish(manyMarkets(MARKETS, 0.01));
const browser = await openBrowser();
try {
  await measureLoads(browser, service.url);
  const { page } = await openPage(browser, service.url);
  await page.goto(service.url);
  await page
    .locator('tbody tr')
    .nth(MARKETS - 1)
    .waitFor();
  const height = await page.evaluate('document.documentElement.scrollHeight');
  const own = await scrolled(page);
  await page.goto('about:blank');
  await page.setContent(`<div style="height:${height}px;background:linear-gradient(#fff,#ccc)"></div>`);
  const empty = await scrolled(page);
  print(
    `${MARKETS} markets, ${height} px, scrolled for ${SCROLL_SECONDS} s at ${SCROLL_PIXELS_PER_SECOND} px a second: ${own}`,
  );
  print(`an empty page of that height: ${empty}`);
} finally {
  await browser.close();
  await service.stop();
}

async function measureLoads(within: Browser, url: string): Promise<void> {
  const times: { content: number; rows: number }[] = [];
  let bytes = 0;
  for (let load = 0; load < LOADS; load++) {
    const { page } = await openPage(within, url);
    const session = await page.context().newCDPSession(page);
    await session.send('Network.enable');
    bytes = 0;
    session.on('Network.loadingFinished', ({ encodedDataLength }) => {
      bytes += encodedDataLength;
    });
    await page.goto(url);
    await page.locator('tbody tr').first().waitFor();
    const content = (await page.evaluate(
      `performance.getEntriesByName('first-contentful-paint')[0].startTime`,
    )) as number;
    const rows = (await page.evaluate('performance.now()')) as number;
    times.push({ content, rows });
    await page.context().close();
  }
  const content = median(times.map((time) => time.content));
  const rows = median(times.map((time) => time.rows));
  print(
    `one load with an empty cache, ${MARKETS} markets: ${(bytes / 1000).toFixed(0)} kB on the wire with what it reads, first content after ${content.toFixed(0)} ms, rows after ${rows.toFixed(0)} ms (median of ${LOADS})`,
  );
}

async function scrolled(page: Page): Promise<string> {
  const deltas = (await page.evaluate(SCROLL)) as number[];
  const dropped = deltas.reduce(
    (sum, delta) => sum + Math.max(0, Math.round(delta / FRAME_MILLISECONDS) - 1),
    0,
  );
  const longest = Math.max(...deltas);
  return `${deltas.length} frames, ${dropped} dropped, the longest ${longest.toFixed(0)} ms`;
}
