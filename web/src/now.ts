import { useEffect, useState } from 'preact/hooks';

/** What this machine's clock says, epoch milliseconds; whoever uses it is drawn again so often. */
export function useNow(everySeconds = 1): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), everySeconds * 1000);
    return () => clearInterval(timer);
  }, [everySeconds]);
  return now;
}
