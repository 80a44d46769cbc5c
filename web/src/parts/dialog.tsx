import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { Problem } from '../api.ts';
import { ProblemNotice } from './states.tsx';

export interface DialogProps {
  readonly title: string;
  readonly onClose: () => void;
  readonly children: ComponentChildren;
}

/** The browser's own dialog: focus stays in it, Escape closes it, and goes back to where it was. */
export function Dialog({ title, onClose, children }: DialogProps) {
  const own = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    own.current?.showModal();
  }, []);
  return (
    <dialog ref={own} aria-labelledby={id} onClose={onClose}>
      <div class="inside">
        <h2 id={id}>{title}</h2>
        {children}
      </div>
    </dialog>
  );
}

export interface ActionProps {
  readonly title: string;
  /** On the button that does it. */
  readonly verb: string;
  readonly isDanger?: boolean;
  /** Whether it may be sent as it stands. */
  readonly isReady?: boolean;
  /**
   * Resolves with `stay` after a first step, which shows something before the next.
   *
   * @throws Problem what the service refuses; it is shown, and can be tried again.
   */
  readonly act: () => Promise<unknown>;
  readonly onClose: () => void;
  readonly children: ComponentChildren;
}

/** Something that changes what is in force: said once more before it is done, and its refusal shown where it was asked for. */
export function ActionDialog({
  title,
  verb,
  isDanger = false,
  isReady = true,
  act,
  onClose,
  children,
}: ActionProps) {
  const [problem, setProblem] = useState<Problem | null>(null);
  const [isRunning, setRunning] = useState(false);
  const send = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (!isReady || isRunning) return;
    setRunning(true);
    setProblem(null);
    try {
      if ((await act()) === 'stay') setRunning(false);
      else onClose();
    } catch (thrown) {
      setProblem(thrown instanceof Problem ? thrown : new Problem('UNREADABLE', 0, String(thrown), ''));
      setRunning(false);
    }
  };
  return (
    <Dialog title={title} onClose={onClose}>
      <form style={{ padding: 0 }} onSubmit={send}>
        {children}
        {problem !== null && <ProblemNotice problem={problem} />}
        <div class="ends">
          <button type="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" class={isDanger ? 'danger' : 'primary'} disabled={!isReady || isRunning}>
            {isRunning ? 'Sending …' : verb}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
