/**
 * The one view of a pipeline and its run: used under the cell, in the widget, and in a tab of its own.
 *
 * From top to bottom: what runs and how it stands, the graph, the details of the selected task, the metrics of the whole run. It works from
 * a saved document alone; with a kernel it is live, can cancel, and follows logs. Which run is shown is the {@link Subject}'s business.
 */
import { button } from './buttons';
import { html, setAttribute, setText } from './dom';
import { ago, dateTime, now } from './format';
import { isFrame } from './card';
import { GraphView } from './graph';
import { shownTasks } from './iterations';
import { VIEW_CLASS, defineLook, lookName, stateImage } from './look';
import { MetricsView } from './metricsView';
import type { NotebookActions } from './notebookActions';
import { type FullDocument, type GraphNode, type Run, type RunDocument, type Target, hasFullRun, isFinished } from './protocol';
import { runningTime, stateWord } from './stateText';
import { CommandError, type Store } from './store';
import { type Following, Subject } from './subject';
import { withNames } from './taskNames';
import { TaskPane } from './taskPane';
import type { Translation } from './translation';

/** About how many characters of a note are seen. */
const LONG_NOTE = 300;
/** Milliseconds between two ticks of the durations. */
const TICK = 1000;

/** What is around a view of a run. */
export interface Surroundings {
  /** The notebook that the run belongs to; null where there is none to act on. */
  notebook: NotebookActions | null;
  /** Show another run in this view's place; by default the view itself does. */
  replace?: (run: string, store: Store) => Promise<void>;
}

/** The view of a run. */
export class RunView {
  /** The element to put on the page. */
  readonly node: HTMLElement;
  private readonly subject: Subject;
  private readonly graph: GraphView;
  private readonly pane: TaskPane;
  private readonly metrics: MetricsView;
  private readonly metricsSection: HTMLElement;
  private readonly title = html('h3', { class: 'kfp-title' });
  private readonly chip = html('span', { class: 'kfp-chip' });
  private readonly duration = html('span', { class: 'kfp-duration' });
  private readonly place = html('span', { class: 'kfp-dim kfp-place' });
  private readonly cancel: HTMLButtonElement;
  private readonly note = html('p', { class: 'kfp-note kfp-mod-cut', role: 'status' });
  private readonly notices = html('p', { class: 'kfp-note' });
  private readonly alert = html('p', { class: 'kfp-note kfp-mod-bad', role: 'alert' });
  private timer: ReturnType<typeof setInterval> | null = null;
  private chipKey = '';
  private chosen = false;
  private shownRun = '';
  /** When a kernel last told of the shown run; 0 if none did. */
  private lastTold = 0;
  /** What the kernel said of a run that was started here. */
  private told: { run: string; words: readonly string[] } = { run: '', words: [] };

  /**
   * @param saved - The document to show until a kernel tells more.
   * @param following - Follow every new run of the pipeline, or only the document's.
   * @param trans - The language.
   * @param around - What is around the view.
   */
  constructor(
    saved: RunDocument,
    following: Following,
    private readonly trans: Translation,
    private readonly around: Surroundings = { notebook: null }
  ) {
    this.subject = new Subject(saved, following, tasks => {
      this.update(tasks);
    });
    const clock = (): number => this.clock();
    this.graph = new GraphView({
      trans,
      clock,
      onSelect: () => {
        this.chosen = true;
        this.showPane();
      }
    });
    this.pane = new TaskPane(trans, {
      clock,
      notebook: around.notebook,
      onClose: () => {
        this.graph.select(null);
        this.chosen = true;
        this.showPane();
      },
      onIteration: () => {
        this.showPane();
      },
      onRerun: (run, told) => this.replace(run, told)
    });
    this.metrics = new MetricsView(trans);
    this.metricsSection = html('section', { class: 'kfp-section', hidden: true }, html('h4', {}, trans.__('Metrics')), this.metrics.node);
    this.cancel = button('stop', trans.__('Cancel'), () => {
      void this.cancelRun();
    });
    const head = html('header', { class: 'kfp-head' }, this.title, this.chip, this.duration, this.place, this.cancel);
    const parts = [head, this.alert, this.note, this.notices, this.graph.node, this.pane.node, this.metricsSection];
    this.node = html('article', { class: `${VIEW_CLASS} kfp-run` }, ...parts);
    this.update(null);
  }

  /** The document that is shown. */
  get document(): RunDocument {
    return this.subject.document;
  }

  /** Show another saved document. */
  show(saved: RunDocument): void {
    this.subject.replace(saved);
  }

  /** Follow what a kernel tells; null for none. */
  connect(store: Store | null): void {
    this.subject.connect(store);
  }

  /** Define the colours where the view was put; to be called once it is on a page. */
  attached(): void {
    defineLook(this.node);
  }

  /** End every subscription and timer. */
  dispose(): void {
    this.subject.dispose();
    this.graph.dispose();
    this.pane.dispose();
    this.setTicking(false);
  }

  private update(tasks: ReadonlySet<string> | null): void {
    const { document } = this.subject;
    const full = hasFullRun(document) ? document : null;
    const id = full?.run.id ?? '';
    if (id !== this.shownRun) {
      this.shownRun = id;
      this.lastTold = 0;
      this.chosen = false;
      setText(this.alert, '');
    }
    if (tasks === null) {
      this.graph.show(document, full?.run ?? null);
    } else {
      this.graph.update(full?.run ?? null, tasks);
    }
    this.showHead(document, full);
    this.selectFailed(full);
    this.showPane();
    this.metricsSection.hidden = !this.metrics.show(full);
    this.setTicking(this.subject.live && this.subject.unfinished);
  }

  private showHead(document: RunDocument, full: FullDocument | null): void {
    setText(this.title, document.pipeline.display_name);
    setAttribute(this.title, 'title', document.pipeline.description === '' ? null : document.pipeline.description);
    const look = lookName(full?.run.state ?? null, false);
    const stale = this.subject.unfinished && !this.subject.live;
    const key = `${look} ${stale}`;
    if (key !== this.chipKey) {
      this.chipKey = key;
      this.chip.replaceChildren(stateImage(look, 14), stateWord(look, this.trans));
      this.chip.dataset.state = look;
    }
    this.chip.hidden = document.run !== null && full === null;
    this.node.classList.toggle('kfp-mod-stale', stale);
    const created = full?.run.created_at ?? null;
    setAttribute(this.place, 'title', full === null || created === null ? null : `${full.run.id} · ${dateTime(created)}`);
    const cancelable = full !== null && !isFinished(full.run.state) && full.run.state !== 'CANCELING';
    this.cancel.hidden = !cancelable || this.subject.connected === null;
    const note = this.noteText(document, full);
    setText(this.note, note);
    // A long message is cut on the page; all of it stands with the task that failed.
    setAttribute(this.note, 'title', note.length > LONG_NOTE ? note : null);
    const told = full?.run.id === this.told.run ? this.told.words : [];
    setText(this.notices, full === null ? '' : [...told, ...full.run.notices].join(' '));
    this.tick();
  }

  private noteText(document: RunDocument, full: FullDocument | null): string {
    if (document.run !== null && full === null && this.subject.failure === null) {
      return this.trans.__(
        'The run was in progress when this notebook was saved; start the kernel and load kfp_jupyter to see it.'
      );
    }
    if (this.subject.failure !== null) {
      return this.subject.failure.message;
    }
    if (full !== null && this.subject.unfinished && !this.subject.live) {
      return this.trans.__('The kernel is not connected; this is how the run was last seen.');
    }
    if (full !== null && full.run.state !== 'SUCCEEDED') {
      return withNames(full, full.run.message);
    }
    return '';
  }

  /** Where the run runs, and, once it has ended, how long ago it began. */
  private placeText(run: Run): string {
    const place = placeOf(run.target, this.trans);
    const then = isFinished(run.state) && run.created_at !== null ? ago(run.created_at, this.trans) : '';
    return then === '' ? place : `${place} · ${then}`;
  }

  /** Open the first task that failed with an error of its own, unless the user looks at something else. */
  private selectFailed(full: FullDocument | null): void {
    if (this.chosen) {
      return;
    }
    const nodes = full === null ? [] : full.graph.nodes;
    const shown = shownTasks(full?.run ?? null);
    // What failed in a group says more than the group.
    const failed = nodes.filter(node => shown.get(node.id)?.state === 'FAILED').sort(framesLast)[0];
    if (this.graph.selected !== (failed?.id ?? null)) {
      this.graph.select(failed?.id ?? null);
    }
  }

  private showPane(): void {
    const { document } = this.subject;
    const node = document.graph.nodes.find(each => each.id === this.graph.selected) ?? null;
    this.pane.show(document, node, this.subject.connected);
  }

  /** Show the run that was started in the place of the shown one. */
  private async replace(run: string, told: readonly string[]): Promise<void> {
    const { connected } = this.subject;
    if (connected === null) {
      return;
    }
    this.told = { run, words: told };
    if (this.around.replace !== undefined) {
      await this.around.replace(run, connected);
    } else {
      this.show(await connected.fetch(run));
    }
  }

  private async cancelRun(): Promise<void> {
    const { document, connected } = this.subject;
    if (document.run === null || connected === null) {
      return;
    }
    this.cancel.disabled = true;
    try {
      await connected.request('cancel', { run: document.run.id });
      this.say(document.run.id, '');
    } catch (reason) {
      this.say(document.run.id, reason instanceof CommandError ? reason.message : String(reason));
    } finally {
      this.cancel.disabled = false;
    }
  }

  /** Say what went wrong with a run, unless another one is shown by now. */
  private say(run: string, text: string): void {
    if (run === this.shownRun) {
      setText(this.alert, text);
    }
  }

  /** The present; for a run that goes on without being watched, the last moment that is known of. */
  private clock(): number {
    const { document, live, unfinished } = this.subject;
    if (live || !unfinished) {
      this.lastTold = now();
      return this.lastTold;
    }
    return this.lastTold > 0 || !hasFullRun(document) ? this.lastTold : lastEvent(document.run);
  }

  private tick(): void {
    const { document, live } = this.subject;
    const known = hasFullRun(document) && (live || isFinished(document.run.state));
    setText(this.duration, known ? runningTime(document.run, this.trans) : '');
    setText(this.place, hasFullRun(document) ? this.placeText(document.run) : '');
    this.graph.tick();
    this.pane.tick();
  }

  private setTicking(ticking: boolean): void {
    if (ticking && this.timer === null) {
      this.timer = setInterval(() => {
        this.tick();
      }, TICK);
    } else if (!ticking && this.timer !== null) {
      clearInterval(this.timer);
      this.timer = null;
    }
  }
}

function framesLast(a: GraphNode, b: GraphNode): number {
  return Number(isFrame(a)) - Number(isFrame(b));
}

/** Return the time of the last change that a run tells of. */
function lastEvent(run: Run): number {
  const times = [run, ...Object.values(run.tasks)].flatMap(each => [each.started_at, each.finished_at]);
  return Math.max(run.created_at ?? 0, ...times.map(time => time ?? 0));
}

/** Return where a run runs, in a reader's words. */
function placeOf(target: Target, trans: Translation): string {
  if (target.kind === 'local') {
    return trans.__('on this machine');
  }
  const name = target.name === '' ? target.kind : target.name;
  return target.namespace === '' ? trans.__('on %1', name) : trans.__('on %1, namespace %2', name, target.namespace);
}
