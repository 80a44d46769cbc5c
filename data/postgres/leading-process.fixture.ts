import { writeSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { decisionDraft, nextBook, someInputs } from '../test-books.ts';
import { Leadership } from './leadership.ts';
import { PostgresStateStore } from './postgres-state-store.ts';

/**
 * A process for fault tests: takes the lead when it can, and publishes while it has it. Argument: the URL of the database.
 * Prints `leads TERM`, `lost`, `published VERSION TERM` once acknowledged, and `failed CODE`.
 */
const [url] = process.argv.slice(2);
// Straight to the file descriptor: a version that waits in a buffer would die with the process.
const say = (text: string): unknown => writeSync(1, `${text}\n`);
const leadership = new Leadership({
  url,
  identity: `fixture ${process.pid}`,
  onTaken: (term) => say(`leads ${term}`),
  onLost: () => say('lost'),
});
/** Of the publication that runs: it is told with it, so it must be the one that it is made in. */
let term: number | null = null;
const store = await PostgresStateStore.open({
  ...{ url, name: 'fixture', sessions: 3 },
  term: () => term,
});
leadership.start();
say('ready');
for (;;) {
  await wait(10);
  term = leadership.term();
  if (term === null) continue;
  try {
    const previous = await store.latestBook();
    const version = (previous?.version ?? 0) + 1;
    const inputs = someInputs(version);
    const book = nextBook(previous, { AURUSDT: 2 + (version % 7) }, inputs.hash);
    await store.publish(book, decisionDraft(book), inputs);
    say(`published ${version} ${term}`);
  } catch (thrown) {
    say(`failed ${(thrown as { code?: string }).code}`);
  }
}
