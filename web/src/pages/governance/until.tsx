import { spanText, timeText } from '../../format.ts';
import { useNow } from '../../now.ts';

/** How long it is until a time, counted down. */
export function Until({ time, past = 'now' }: { readonly time: string; readonly past?: string }) {
  const left = Date.parse(time) - useNow();
  return (
    <time dateTime={time} title={`${timeText(time, true)} UTC`}>
      {left > 0 ? `in ${spanText(left)}` : past}
    </time>
  );
}
