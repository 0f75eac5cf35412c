/**
 * What a task prints, followed while it runs.
 *
 * With a kernel the lines come by the `logs` command, from a cursor on, about every half second until the kernel says that
 * no more will come. Without one there is the tail that the run document keeps. The view follows the end unless the
 * user scrolled up, and follows again when they scroll back down.
 */
import { copyButton } from './buttons';
import { html, setText } from './dom';
import { type TaskRun, isFinished } from './protocol';
import { CommandError, type Store } from './store';
import type { Translation } from './translation';

/** Milliseconds between two questions for more lines. */
const INTERVAL = 500;
/** Lines kept on the page; older ones are dropped. */
const MOST_LINES = 5000;

/** The log of one task. */
export class LogPane {
  readonly node: HTMLElement;
  private readonly text = html('pre', { class: 'kfp-log', tabindex: 0, role: 'log' });
  private readonly note = html('p', { class: 'kfp-dim' });
  private lines: string[] = [];
  private key = '';
  private cursor: number | string = 0;
  private timer: ReturnType<typeof setTimeout> | null = null;
  private turn = 0;
  private done = false;
  private fresh = true;
  /** The task has begun; before that there is nothing to ask for. */
  private begun = false;
  private store: Store | null = null;
  private run = '';
  private task = '';
  private active = false;

  constructor(private readonly trans: Translation) {
    this.text.setAttribute('aria-label', trans.__('Log'));
    const copy = copyButton(trans, () => this.lines.join('\n'));
    this.node = html('div', { class: 'kfp-log-pane' }, copy, this.text, this.note);
  }

  /**
   * Show the log of a task, as it is now.
   *
   * @param store - The connected kernel to ask, or null.
   */
  show(run: string, path: string, task: TaskRun, store: Store | null): void {
    const key = JSON.stringify([run, path, task.attempt]);
    const begun = task.state !== 'PENDING';
    if (key !== this.key || store !== this.store) {
      this.key = key;
      this.stop();
      this.run = run;
      this.task = path;
      this.store = store;
      this.cursor = 0;
      this.begun = begun;
      this.done = !begun;
      this.fresh = true;
      this.replace(task.log_tail);
      this.resume();
    } else if (begun && this.done && (!this.begun || !isFinished(task.state))) {
      this.begun = true;
      this.done = false;
      this.resume();
    } else if (store === null) {
      this.replace(task.log_tail);
    }
    const empty = this.lines.length === 0;
    const waiting = isFinished(task.state) ? this.trans.__('It printed nothing.') : this.trans.__('Nothing printed yet.');
    setText(this.note, empty ? waiting : '');
  }

  /** Ask for lines only while they are seen. */
  set visible(visible: boolean) {
    this.active = visible;
    if (visible) {
      this.resume();
      this.scrollToEnd();
    } else {
      this.stop();
    }
  }

  /** Ask for nothing any more. */
  dispose(): void {
    this.active = false;
    this.stop();
  }

  private stop(): void {
    this.turn++;
    if (this.timer !== null) {
      clearTimeout(this.timer);
      this.timer = null;
    }
  }

  private resume(): void {
    if (this.active && this.timer === null && !this.done && this.store !== null) {
      this.timer = setTimeout(() => {
        void this.ask();
      }, 0);
    }
  }

  private async ask(): Promise<void> {
    const { turn, store } = this;
    if (store === null) {
      return;
    }
    try {
      const answer = await store.request('logs', { run: this.run, task: this.task, after: this.cursor });
      if (turn !== this.turn) {
        return;
      }
      this.cursor = answer.next;
      this.done = answer.done;
      if (this.fresh) {
        // The first answer begins at the beginning, which the tail that was shown so far may not.
        this.fresh = false;
        this.replace(answer.lines);
      } else {
        this.append(answer.lines);
      }
    } catch (reason) {
      if (turn !== this.turn) {
        return;
      }
      // A kernel that was too busy to answer is asked again: what it has not told yet is still to come.
      this.done = !(reason instanceof CommandError && reason.unanswered);
      if (this.lines.length === 0) {
        setText(this.note, reason instanceof CommandError ? reason.message : String(reason));
      }
    }
    this.timer = this.done
      ? null
      : setTimeout(() => {
          void this.ask();
        }, INTERVAL);
  }

  private replace(lines: readonly string[]): void {
    if (lines.length !== this.lines.length || lines.some((line, index) => readable(line) !== this.lines[index])) {
      this.lines = [];
      this.text.replaceChildren();
      this.append(lines);
    }
  }

  private append(lines: readonly string[]): void {
    if (lines.length === 0) {
      return;
    }
    const following = this.text.scrollTop + this.text.clientHeight >= this.text.scrollHeight - 8;
    const added = lines.map(readable);
    this.lines.push(...added);
    if (this.lines.length > MOST_LINES) {
      this.lines = this.lines.slice(-MOST_LINES);
      this.text.textContent = `${this.lines.join('\n')}\n`;
    } else {
      this.text.append(`${added.join('\n')}\n`);
    }
    setText(this.note, '');
    if (following) {
      this.scrollToEnd();
    }
  }

  private scrollToEnd(): void {
    this.text.scrollTop = this.text.scrollHeight;
  }
}

/** Return a line as a terminal would leave it: without colour codes, and with only the last state of a progress bar. */
export function readable(line: string): string {
  // eslint-disable-next-line no-control-regex -- the escape character is what colour codes begin with
  const plain = line.replace(/\u001b\[[0-9;?]*[A-Za-z]/g, '').replace(/[\r\n]+$/, '');
  return plain.slice(plain.lastIndexOf('\r') + 1);
}
