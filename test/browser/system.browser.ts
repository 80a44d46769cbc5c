import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { serveFirst } from '../run-plimsoll.ts';
import { expectAccessible, expectNoSidewaysScrolling, hasBrowser, openBrowser, openPage } from './console.ts';
import { call, type Marks, marksOf, moveMarks, simulatedLines } from './simulated-accounts.ts';

const ACCOUNTS = 300;

describe.skipIf(!hasBrowser)('the system page', () => {
  let first: Awaited<ReturnType<typeof serveFirst>>;
  let browser: Browser;
  let page: Page;
  let complaints: string[];
  let marks: Marks;
  const service = () => ({ url: first.served.url, key: first.key });
  const open = async (query = ''): Promise<void> => {
    await page.goto('about:blank');
    await page.goto(`${first.served.url}/#/system${query}`);
  };
  const table = (name: string | RegExp) => page.getByRole('table', { name });

  beforeAll(async () => {
    first = await serveFirst('system');
    browser = await openBrowser();
    marks = await marksOf(service());
    ({ page, complaints } = await openPage(browser, first.served.url));
    await page.addInitScript(
      `if (location.origin !== 'null') sessionStorage.setItem('plimsoll-key', '${first.key}')`,
    );
  });

  afterAll(async () => {
    await browser?.close();
    await first?.served.end('SIGTERM');
    first?.remove();
  });

  test('without accounts it says how to send them', async () => {
    await open();
    await page.getByRole('heading', { name: 'No accounts yet' }).waitFor();
    await page.getByText('PUT /v1/accounts/{id}').waitFor();
    await page.getByText('None yet.').waitFor();
    await expectAccessible(page);
  });

  test('accounts that come in are seen without loading the page again', async () => {
    await open();
    await page.getByRole('heading', { name: 'No accounts yet' }).waitFor();
    const taken = await call<{ accepted: number }>(
      service(),
      'POST',
      '/v1/accounts/batch',
      simulatedLines(marks, ACCOUNTS, 1),
    );
    expect(taken.accepted).toBe(ACCOUNTS);
    await page.getByText(`${ACCOUNTS} accounts at`).waitFor({ timeout: 30_000 });
    expect(await table('Crowding and concentration by market').getByRole('row').count()).toBe(
      Object.keys(marks).length + 1,
    );
  });

  test('the liquidation map is that of the market in the address, rises above and falls below the mark', async () => {
    await open('?market=AURUSDT');
    await page.getByRole('heading', { name: 'Liquidation map of AURUSDT' }).waitFor();
    const moves = await table(/AURUSDT goes/)
      .getByRole('rowheader')
      .allInnerTexts();
    const here = moves.indexOf('due at the mark');
    expect(here).toBeGreaterThan(0);
    expect(moves.slice(0, here).every((move) => move.startsWith('+'))).toBe(true);
    expect(moves.slice(here + 1).every((move) => move.startsWith('−'))).toBe(true);
    const system = await call<{
      markets: { symbol: string; liquidations: { move: number; long: string }[] }[];
    }>(service(), 'GET', '/v1/system');
    const market = system.markets.find(({ symbol }) => symbol === 'AURUSDT');
    const half = Number(market?.liquidations.find(({ move }) => move === -0.5)?.long);
    expect(half).toBeGreaterThan(0);
    const row = table(/AURUSDT goes/).getByRole('row', { name: /^−50\.0 %/ });
    expect((await row.innerText()).replaceAll(',', '')).toContain(String(Math.floor(half)));
    await page.getByRole('combobox', { name: 'Market', exact: true }).first().selectOption('BOREUSDT');
    await page.getByRole('heading', { name: 'Liquidation map of BOREUSDT' }).waitFor();
    expect(page.url()).toContain('market=BOREUSDT');
  });

  test('a preset runs a cascade; what it says is what the service answers', async () => {
    await open();
    await page.getByText('Choose a shock').waitFor();
    await page.getByRole('button', { name: '−30 %' }).click();
    await table('The cascade by round').waitFor();
    const stress = await call<{ accountsFallen: number; accounts: number; rounds: unknown[] }>(
      service(),
      'POST',
      '/v1/stress',
      { move: -0.3 },
    );
    expect(stress.accountsFallen).toBeGreaterThan(0);
    await page.getByText(`${stress.accountsFallen} of ${stress.accounts}`).waitFor();
    expect(await table('The cascade by round').getByRole('row').count()).toBe(stress.rounds.length + 1);
    expect(page.url()).toContain('move=-30');
  });

  test('one market alone is shocked from the form, and the link repeats it', async () => {
    await open();
    await page.getByRole('button', { name: 'Add a market' }).click();
    await page.getByRole('combobox', { name: 'Market', exact: true }).last().selectOption('AURUSDT');
    await page.getByLabel('moves by percent').fill('-40');
    await page.getByRole('button', { name: 'Run', exact: true }).click();
    const shocked = table('The cascade by market').getByRole('row', { name: /^AURUSDT/ });
    await shocked.waitFor();
    expect(await shocked.innerText()).toContain('−40.0 %');
    await open(new URL(page.url().replace('/#', '')).search);
    await shocked.waitFor();
  });

  test('a shock that cannot be is told and not sent', async () => {
    await open('?move=-100');
    await page.getByRole('alert').filter({ hasText: 'no percentage above −100' }).waitFor();
    await open('?moves=NOSUCHUSDT:-10');
    await page.getByRole('alert').filter({ hasText: 'MARKET_UNKNOWN' }).waitFor();
    expect(complaints.splice(0).filter((one) => !/status of 404/.test(one))).toEqual([]);
  });

  test('a fall of marks brings interventions onto the page as they come, the newest first', async () => {
    await open();
    const told = table('Interventions, the newest first');
    const { lastSequence: before } = await call<{ lastSequence: number }>(
      service(),
      'GET',
      '/v1/interventions?limit=1',
    );
    await page.getByRole('heading', { name: 'Interventions' }).waitFor();
    const { accepted } = await moveMarks(service(), marks, -0.004);
    expect(accepted).toBeGreaterThan(0);
    await call(service(), 'PUT', '/v1/accounts/sinking', {
      ...{ userId: 'sinking', marginMode: 'cross', equity: '1' },
      positions: [{ symbol: 'AURUSDT', side: 'long', quantity: '1', entryPrice: marks.AURUSDT.toFixed(8) }],
    });
    await told.getByRole('cell', { name: 'sinking' }).first().waitFor();
    const numbers = (await told.getByRole('rowheader').allInnerTexts()).map(Number);
    expect(numbers[0]).toBeGreaterThan(before);
    expect(numbers).toEqual(numbers.toSorted((a, b) => b - a));
    await page.getByLabel('Kind').selectOption('backstop');
    await told.getByRole('row').nth(1).waitFor();
    const kinds = await told.getByRole('row').allInnerTexts();
    expect(kinds.slice(1).every((row) => row.includes('backstop'))).toBe(true);
  });

  test('tables are given as files', async () => {
    await open();
    // Before it the only table is the one that is read first.
    await page.getByRole('heading', { name: 'Crowding and concentration' }).waitFor();
    const saved = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Download CSV' }).first().click();
    expect((await saved).suggestedFilename()).toBe('crowding.csv');
  });

  test.each(['light', 'dark'] as const)('in %s everybody can use it, on a phone too', async (colorScheme) => {
    const watched = await openPage(browser, first.served.url, { colorScheme });
    const own = watched.page;
    await own.addInitScript(
      `if (location.origin !== 'null') sessionStorage.setItem('plimsoll-key', '${first.key}')`,
    );
    await own.goto(`${first.served.url}/#/system?move=-20`);
    await own.getByRole('table', { name: 'The cascade by round' }).waitFor();
    await own.getByRole('table', { name: 'Interventions, the newest first' }).waitFor();
    await expectAccessible(own);
    await own.setViewportSize({ width: 390, height: 800 });
    await expectNoSidewaysScrolling(own);
    expect(watched.complaints).toEqual([]);
    await own.close();
  });

  test('nothing was complained of, and nothing was asked of another host', () => {
    expect(complaints).toEqual([]);
  });
});
