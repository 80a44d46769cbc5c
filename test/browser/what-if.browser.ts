import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Served, serve } from '../run-plimsoll.ts';
import { expectAccessible, expectNoSidewaysScrolling, hasBrowser, openBrowser, openPage } from './console.ts';
import { call, type Marks, marksOf } from './simulated-accounts.ts';

const KEY = 'key-of-the-operator-in-this-test';
const READER_KEY = 'key-of-the-reader-in-this-test';
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const KEYS = `desk:operator:${sha256(KEY)},guest:reader:${sha256(READER_KEY)}`;

/** What the pages ask without knowing whether there is such a user. */
const UNKNOWN_USER = 404;

describe.skipIf(!hasBrowser)('what if', () => {
  const folder = mkdtempSync(join(tmpdir(), 'plimsoll-what-if-'));
  let served: Served;
  let browser: Browser;
  let page: Page;
  let complaints: string[];
  let marks: Marks;
  const service = () => ({ url: served.url, key: KEY });
  const open = async (address: string): Promise<void> => {
    await page.goto('about:blank');
    await page.goto(`${served.url}/#/what-if${address}`);
  };
  const verdict = () => page.getByRole('status').filter({ hasText: /^(Allowed|Clamped|Refused):/ });
  const fact = (label: string) =>
    page.locator('.fact', { has: page.getByText(label, { exact: true }) }).locator('dd');

  beforeAll(async () => {
    served = await serve(join(folder, 'var'), [], { PLIMSOLL_KEYS: KEYS });
    await served.inForce;
    browser = await openBrowser();
    marks = await marksOf(service());
    const quantity = (10_000 / marks.AURUSDT).toFixed(6);
    await call(service(), 'PUT', '/v1/accounts/held', {
      ...{ userId: 'holder', marginMode: 'cross', equity: '5000' },
      positions: [
        { symbol: 'AURUSDT', side: 'long', quantity, entryPrice: marks.AURUSDT.toFixed(8) },
        {
          ...{ symbol: 'CINDUSDT', side: 'short', quantity: '10', entryPrice: marks.CINDUSDT.toFixed(8) },
          isolatedMargin: '300',
        },
      ],
    });
    const watched = await openPage(browser, served.url, {}, [400, 404]);
    ({ page, complaints } = watched);
    await page.addInitScript(
      `if (location.origin !== 'null') sessionStorage.setItem('plimsoll-key', '${KEY}')`,
    );
  });

  afterAll(async () => {
    await browser?.close();
    await served?.end('SIGTERM');
    rmSync(folder, { recursive: true, force: true });
  });

  test('asks nothing before somebody does', async () => {
    await open('');
    await page.getByText('Say who the user is').waitFor();
    expect(await verdict().count()).toBe(0);
    expect(complaints).toEqual([]);
  });

  test('an order is checked from the form, and the address leads to the same answer', async () => {
    await open('');
    await page.getByLabel('User', { exact: true }).fill('nobody-yet');
    await page.getByLabel('Market', { exact: true }).fill('aurusdt');
    await page.getByLabel('Notional (quote)').fill('25,000');
    await page.getByLabel('Leverage', { exact: true }).fill('3');
    await page.getByRole('button', { name: 'Check' }).click();
    await verdict().waitFor();
    const said = await verdict().innerText();
    expect(said).toBe('Allowed: long 25,000 of AURUSDT at 3x.');
    const check = await call<{ initialMargin: string; maxLeverage: number }>(
      service(),
      'POST',
      '/v1/checks',
      {
        ...{ userId: 'nobody-yet', symbol: 'AURUSDT', side: 'long', notional: '25000', leverage: 3 },
      },
    );
    expect(await fact('Largest leverage, at this notional').innerText()).toBe(`${check.maxLeverage}x`);
    expect(await fact('Initial margin it adds').innerText()).toBe('8,333.33');
    await page.getByText('No account of this user is known').first().waitFor();
    const link = page.url().split('#/what-if')[1];
    await open(link);
    await verdict().waitFor();
    expect(await verdict().innerText()).toBe(said);
    expect(complaints).toEqual([]);
  });

  test('too much leverage is clamped, with the reason in words and by code', async () => {
    await open('?user=nobody-yet&symbol=AURUSDT&side=short&notional=25000&leverage=500');
    await verdict().waitFor();
    expect(await verdict().innerText()).toMatch(
      /^Clamped: short 25,000 of AURUSDT at 500x is too much\. Allowed would be the same notional at \d+x\.$/,
    );
    await page.getByText('The market’s bracket at this notional allows no more leverage.').waitFor();
    expect(await page.getByText('BRACKET', { exact: true }).count()).toBeGreaterThan(0);
  });

  test('beyond the last bracket no leverage helps, and the notional is clamped to what the market takes', async () => {
    await open('?user=nobody-yet&symbol=AURUSDT&notional=100000000000000&leverage=1');
    await verdict().waitFor();
    expect(await verdict().innerText()).toContain('Clamped');
    await page.getByText('NOTIONAL_ABOVE_LAST_BRACKET').first().waitFor();
  });

  test('what the service refuses is shown with its code and remedy, and what cannot be a number is not sent', async () => {
    await open('?user=nobody-yet&symbol=NOSUCHUSDT&notional=1&leverage=1');
    await page.getByRole('alert').filter({ hasText: 'MARKET_UNKNOWN' }).waitFor();
    await open('?user=nobody-yet&symbol=AURUSDT&notional=1.000,5&leverage=1');
    await page.getByRole('alert').filter({ hasText: '1.000,5' }).waitFor();
    expect(await verdict().count()).toBe(0);
  });

  test('a user’s policy is set with what changes in sight, and caps follow at once', async () => {
    await open('?user=set-here&symbol=AURUSDT&notional=1000&leverage=5');
    await page.getByText('Nothing is set for this user').waitFor();
    const row = page.getByRole('row', { name: /^ESKRUSDT / });
    await row.waitFor();
    expect(await row.getByRole('cell').first().innerText()).not.toBe('2x');
    await page.getByRole('button', { name: 'Set', exact: true }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Largest leverage of the house').fill('2');
    await dialog.getByLabel('Reason').fill('because');
    await dialog.getByText('give all three or none').waitFor();
    await dialog.getByLabel('Reason').fill('');
    await dialog.getByText('Largest leverage (house): not set → 2x').waitFor();
    await dialog.getByRole('button', { name: 'Set', exact: true }).click();
    await page.getByRole('status').filter({ hasText: 'One setting was changed' }).waitFor();
    await row.getByRole('cell', { name: '2x', exact: true }).first().waitFor();
    await verdict().filter({ hasText: 'Allowed would be the same notional at 2x' }).waitFor();
    expect(await call(service(), 'GET', '/v1/users/set-here')).toMatchObject({ maxLeverage: 2 });
  });

  test('the service’s refusal of a policy is shown where it was asked for, and what others set is not written over', async () => {
    await call(service(), 'PUT', '/v1/users/two-hands', { maxLeverage: 9 });
    await open('?user=two-hands');
    await page.getByRole('button', { name: 'Change' }).click();
    const dialog = page.getByRole('dialog');
    const set = dialog.getByRole('button', { name: 'Set', exact: true });
    await dialog.getByLabel('Notional coefficient').fill('77');
    await set.click();
    await dialog.getByRole('alert').filter({ hasText: 'INPUT_INVALID' }).waitFor();
    await dialog.getByLabel('Notional coefficient').fill('');
    await call(service(), 'PUT', '/v1/users/two-hands', { maxLeverage: 4 });
    await dialog.getByLabel('Largest leverage of the house').fill('8');
    await set.click();
    await dialog.getByRole('alert').filter({ hasText: 'somebody else changed' }).waitFor();
    expect(await call(service(), 'GET', '/v1/users/two-hands')).toMatchObject({ maxLeverage: 4 });
  });

  test('a known account is loaded with its own collateral, simulated, and moved', async () => {
    await open('?tab=margin');
    await page.getByText('Nothing of it is kept').waitFor();
    await page.getByRole('button', { name: 'Load a known one' }).click();
    await page.getByRole('dialog').getByLabel('Account').fill('held');
    await page.getByRole('dialog').getByRole('button', { name: 'Load' }).click();
    await page.getByText('If all marks move alike').waitFor();
    expect(await page.getByLabel('Equity, without open profit').inputValue()).toBe('5000');
    const margin = await call<{ positions: { liquidationPrice: string }[] }>(
      service(),
      'GET',
      '/v1/accounts/held/margin',
    );
    const price = Number(margin.positions[0].liquidationPrice);
    const cells = page
      .getByRole('table', { name: 'Positions, with the prices at which they end' })
      .getByRole('row', { name: /^AURUSDT/ });
    const shown = (await cells.innerText()).replaceAll(',', '');
    expect(shown).toContain(String(Math.floor(price)));
    await page.getByText(/The first part of it is liquidated between/).waitFor();
    await page.getByText('As a table').click();
    const rows = page
      .getByRole('table', { name: 'The account by common move of all marks' })
      .getByRole('row');
    expect(await rows.count()).toBe(22);
    expect(new URL(page.url().replace('/#', '')).searchParams.get('book')).toContain('AURUSDT');
  });

  test('a paste that is no account is refused in the dialog', async () => {
    await open('?tab=margin');
    await page.getByRole('button', { name: 'Paste JSON' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('textbox').fill('{"equity":"1"}');
    await dialog.getByRole('button', { name: 'Take it' }).click();
    await dialog.getByRole('alert').filter({ hasText: 'positions' }).waitFor();
  });

  test.each(['light', 'dark'] as const)('in %s everybody can use it, on a phone too', async (colorScheme) => {
    const watched = await openPage(browser, served.url, { colorScheme }, [UNKNOWN_USER]);
    const own = watched.page;
    await own.addInitScript(
      `if (location.origin !== 'null') sessionStorage.setItem('plimsoll-key', '${KEY}')`,
    );
    const looked = async (): Promise<void> => {
      await expectAccessible(own);
      await own.setViewportSize({ width: 390, height: 800 });
      await expectNoSidewaysScrolling(own);
      await own.setViewportSize({ width: 1280, height: 900 });
    };
    await own.goto(`${served.url}/#/what-if?user=holder&symbol=AURUSDT&notional=1000&leverage=2`);
    await own.getByText(/^(Allowed|Clamped|Refused):$/).waitFor();
    await own.getByRole('row', { name: /^QUAYUSDT/ }).waitFor();
    await looked();
    await own.getByRole('button', { name: 'Margin of an account' }).click();
    await own.getByText('Nothing of it is kept').waitFor();
    await own.getByRole('button', { name: 'Load a known one' }).click();
    await own.getByRole('dialog').getByLabel('Account').fill('held');
    await own.getByRole('dialog').getByRole('button', { name: 'Load' }).click();
    await own.getByText('As a table').waitFor();
    await looked();
    expect(watched.complaints).toEqual([]);
    await own.close();
  });

  test.each([
    ['without a key', '', 401],
    ['with a key that is not known', 'a-key-of-another-service', 403],
  ] as const)('%s it asks for one, and goes on with it', async (_, before, status) => {
    const { page: own } = await openPage(browser, served.url, {}, [status]);
    await own.addInitScript(`if ('${before}' !== '') sessionStorage.setItem('plimsoll-key', '${before}')`);
    await own.goto(`${served.url}/#/what-if?user=holder&symbol=AURUSDT&notional=1000&leverage=2`);
    await own.getByRole('dialog', { name: 'Key' }).waitFor();
    await own.getByRole('textbox', { name: 'Key' }).fill(KEY);
    await own.getByRole('button', { name: 'Use it' }).click();
    await own.getByText(/^(Allowed|Clamped|Refused):$/).waitFor();
    await own.close();
  });

  test('who may only read is told so in the dialog, and nothing is changed', async () => {
    const { page: own } = await openPage(browser, served.url, {}, [UNKNOWN_USER, 403]);
    await own.addInitScript(`sessionStorage.setItem('plimsoll-key', '${READER_KEY}')`);
    await own.goto(`${served.url}/#/what-if?user=untouched`);
    await own.getByRole('button', { name: 'Set', exact: true }).click();
    const dialog = own.getByRole('dialog');
    await dialog.getByLabel('Largest leverage of the house').fill('3');
    await dialog.getByRole('button', { name: 'Set', exact: true }).click();
    await dialog.getByRole('alert').waitFor();
    await expect(call(service(), 'GET', '/v1/users/untouched')).rejects.toThrow('USER_UNKNOWN');
    await own.close();
  });

  test('nothing was complained of, and nothing was asked of another host', () => {
    expect(complaints).toEqual([]);
  });
});
