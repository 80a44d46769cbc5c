import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { LevelStore } from '../src/control/ports.ts';

const schema = z.object({
  version: z.literal(1),
  markets: z.record(
    z.string(),
    z.object({ logs: z.array(z.number()), newest: z.array(z.number().nullable()) }),
  ),
});

/**
 * The levels of the forecasts as one file of the data folder. It is replaced in one rename: killed at any moment, the old or the new one is there.
 * What cannot be read counts as nothing learned.
 */
export function levelFile(dataDir: string): LevelStore {
  const path = join(dataDir, 'levels.json');
  return {
    load: async () => {
      const text = await readFile(path, 'utf8').catch(() => null);
      if (text === null) return null;
      try {
        return schema.parse(JSON.parse(text));
      } catch {
        return null;
      }
    },
    save: async (state) => {
      await mkdir(dataDir, { recursive: true });
      const temporary = `${path}.${process.pid}.tmp`;
      const handle = await open(temporary, 'w');
      try {
        await handle.writeFile(`${JSON.stringify(state)}\n`);
        await handle.sync();
      } finally {
        await handle.close();
      }
      await rename(temporary, path);
    },
  };
}
