/**
 * What to do about a task that ran: bring it into the notebook, run again what was changed.
 *
 * A button that cannot be used says why. What the kernel refuses is said beside the buttons, and what it had to say of a run that it
 * started goes with that run.
 */
import { button } from './buttons';
import { html, setAttribute, setText } from './dom';
import { isFrame } from './card';
import type { NotebookActions } from './notebookActions';
import { type FullDocument, type GraphNode, type TaskRun, isFinished } from './protocol';
import { CommandError, type Store } from './store';
import type { Translation } from './translation';

/** The kinds of targets whose runs can be gone on from. */
const RERUN_ON: ReadonlySet<string> = new Set(['local', 'argo']);

/** What the buttons act on. */
interface Shown {
  document: FullDocument;
  path: string;
  task: TaskRun;
  store: Store | null;
}

/** The buttons of a task. */
export class TaskActions {
  readonly node: HTMLElement;
  private readonly debug: HTMLButtonElement;
  private readonly rerun: HTMLButtonElement;
  private readonly alert = html('p', { class: 'kfp-mod-bad', role: 'alert' });
  private shown: Shown | null = null;
  private busy = false;

  /**
   * @param trans - The language.
   * @param notebook - The notebook that the run belongs to; without one nothing is offered (a widget is told of no run but its own).
   * @param onRerun - Called with a run that was started, and what the kernel says of it.
   */
  constructor(
    private readonly trans: Translation,
    private readonly notebook: NotebookActions | null,
    private readonly onRerun: (run: string, told: string[]) => Promise<void>
  ) {
    this.debug = button('debug', trans.__('Debug in notebook'), () => {
      void this.attempt(shown => this.bring(shown));
    });
    this.rerun = button('rerun', trans.__('Rerun changed'), () => {
      void this.attempt(shown => this.start(shown));
    });
    this.node = html('div', { class: 'kfp-pane-actions', hidden: true }, this.debug, this.rerun, this.alert);
  }

  /** Offer what can be done about a task; null for nothing. */
  show(document: FullDocument, node: GraphNode, path: string, task: TaskRun, store: Store | null): void {
    if (path !== this.shown?.path || document.run.id !== this.shown.document.run.id) {
      setText(this.alert, '');
    }
    this.shown = { document, path, task, store };
    const failed = task.state === 'FAILED';
    // Groups and what never began have nothing to step through; nobody debugs what has not come to its end.
    const none = this.notebook === null;
    this.debug.hidden = none || isFrame(node) || !isFinished(task.state) || !ran(task);
    this.rerun.hidden = none || !failed;
    this.node.hidden = this.debug.hidden && this.rerun.hidden;
    this.offer(this.debug, this.debugObstacle(), this.trans.__('Bring this step and its real inputs into a new cell'));
    this.offer(
      this.rerun,
      this.rerunObstacle(),
      this.trans.__('Run again what failed or was changed, and what follows from it; take over all other results')
    );
  }

  /** Offer nothing. */
  hide(): void {
    this.shown = null;
    this.node.hidden = true;
  }

  private offer(offered: HTMLButtonElement, obstacle: string, caption: string): void {
    offered.disabled = this.busy || obstacle !== '';
    setAttribute(offered, 'title', obstacle === '' ? caption : obstacle);
    setAttribute(offered, 'aria-description', obstacle === '' ? null : obstacle);
  }

  private debugObstacle(): string {
    const { trans, shown } = this;
    if (!shown?.store) {
      return trans.__('The kernel is not connected.');
    }
    const { cached_from } = shown.task;
    return cached_from === '' ? '' : trans.__('It did not run: its result is that of run %1.', cached_from);
  }

  private rerunObstacle(): string {
    const { trans, shown } = this;
    if (!shown?.store) {
      return trans.__('The kernel is not connected.');
    }
    const { run } = shown.document;
    if (!RERUN_ON.has(run.target.kind)) {
      return trans.__('Results of a run there cannot be taken over. Run the whole pipeline again.');
    }
    return isFinished(run.state) ? '' : trans.__('The run goes on. Wait for its end, or cancel it first.');
  }

  /** Say something of a task, unless another one is looked at by now. */
  private say({ document, path }: Shown, text: string): void {
    if (path === this.shown?.path && document.run.id === this.shown.document.run.id) {
      setText(this.alert, text);
    }
  }

  private async bring(shown: Shown): Promise<void> {
    const { document, path, store } = shown;
    if (document.run.target.kind !== 'local') {
      setText(this.alert, this.trans.__('Bringing its inputs here…'));
    }
    const code = await store?.request('debug', { run: document.run.id, task: path });
    if (code !== undefined) {
      this.notebook?.insert(code.text.trimEnd());
    }
    this.say(shown, '');
  }

  private async start({ document, store }: Shown): Promise<void> {
    const started = await store?.request('rerun', { run: document.run.id });
    if (started !== undefined) {
      await this.onRerun(started.run, started.told);
    }
  }

  private async attempt(action: (shown: Shown) => Promise<void>): Promise<void> {
    const { shown } = this;
    if (shown === null || this.busy) {
      return;
    }
    this.busy = true;
    this.debug.disabled = true;
    this.rerun.disabled = true;
    setText(this.alert, '');
    try {
      await action(shown);
    } catch (reason) {
      this.say(shown, reason instanceof CommandError ? reason.message : String(reason));
    } finally {
      this.busy = false;
      this.debug.disabled = this.debugObstacle() !== '';
      this.rerun.disabled = this.rerunObstacle() !== '';
    }
  }
}

function ran(task: TaskRun): boolean {
  return task.attempt > 0 || task.cached_from !== '';
}
