import { writeSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { ensureCheckpointKey } from './checkpoint-key.ts';
import { SqliteStateStore } from './sqlite-state-store.ts';
import { decisionDraft, nextBook, someInputs } from './test-books.ts';

/**
 * A process for crash tests: publishes books until it is killed and prints each version once it was acknowledged.
 * Arguments: the data folder, and the number of markets in a book. Prints `failed CODE` and ends when a publication fails.
 */
const [folder, marketCount] = process.argv.slice(2);
flushCompileCache();
const symbols = Array.from({ length: Number(marketCount) }, (_, market) => `M${market}USDT`);
const store = SqliteStateStore.open(folder, { signer: await ensureCheckpointKey(folder) });
let book = await store.latestBook();
try {
  for (;;) {
    const version = (book?.version ?? 0) + 1;
    const inputs = someInputs(version);
    book = nextBook(
      book,
      Object.fromEntries(symbols.map((symbol, market) => [symbol, 2 + ((version + market) % 9)])),
      inputs.hash,
    );
    await store.publish(book, decisionDraft(book), inputs);
    // Straight to the file descriptor: a version that waits in a buffer would die with the process.
    writeSync(1, `${version}\n`);
  }
} catch (thrown) {
  writeSync(1, `failed ${(thrown as { code: string }).code}\n`);
}
