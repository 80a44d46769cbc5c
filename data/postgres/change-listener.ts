import { CHANNEL, sessionConfig } from './database.ts';
import { aborted, SessionLoop } from './session-loop.ts';

/**
 * Wakes those who follow when something was written. A message that is lost costs them the time until they look by themselves.
 *
 * @param onWake also after each new session: nobody knows what was missed.
 */
export function changeListener(url: string, onWake: () => void): SessionLoop {
  return new SessionLoop(
    sessionConfig(url, 'follow'),
    async (client, ended) => {
      client.on('notification', onWake);
      await client.query(`LISTEN ${CHANNEL}`);
      onWake();
      await aborted(ended);
    },
    // Whoever follows says that the database is away.
    () => undefined,
  );
}
