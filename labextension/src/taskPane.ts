/**
 * The details of the selected task: its error first, what it printed, what went in and came out, what it measured.
 */
import { copyButton, iconButton } from './buttons';
import { isFrame } from './card';
import { fill, html, setText } from './dom';
import { iterationNames, nodeOf, pathsOf } from './iterations';
import { LogPane } from './logPane';
import { stateImage } from './look';
import { MetricsView } from './metricsView';
import type { NotebookActions } from './notebookActions';
import {
  type GraphNode,
  type Run,
  type RunDocument,
  type State,
  type TaskError,
  type TaskRun,
  hasFullRun
} from './protocol';
import { cardDetail, stateWord, taskLook } from './stateText';
import type { Store } from './store';
import { Tabs } from './tabs';
import { withNames } from './taskNames';
import { TaskActions } from './taskActions';
import type { Translation } from './translation';
import { isOverMemory, usageText } from './usageText';
import { artifactList, parameterTable } from './values';

/** What the pane asks of the view around it. */
export interface PaneOptions {
  /** The present, in seconds. */
  clock: () => number;
  onClose: () => void;
  /** Called when the user has chosen another iteration. */
  onIteration: () => void;
  /** The notebook that it may act on; null where there is none. */
  notebook: NotebookActions | null;
  /** Called with a run that takes over from the shown one, and what the kernel says of it. */
  onRerun: (run: string, told: string[]) => Promise<void>;
}

/** The pane of one task. */
export class TaskPane {
  readonly node: HTMLElement;
  private readonly icon = html('span');
  private readonly title = html('strong', { class: 'kfp-pane-title' });
  private readonly detail = html('span', { class: 'kfp-dim' });
  private readonly path = html('code');
  private readonly place: HTMLElement;
  private readonly usage = html('p', { class: 'kfp-note kfp-dim kfp-usage' });
  private readonly message = html('p', { class: 'kfp-note' });
  private readonly error = html('div', { class: 'kfp-error' });
  private readonly inputs = html('div', { class: 'kfp-values' });
  private readonly outputs = html('div', { class: 'kfp-values' });
  private readonly log: LogPane;
  private readonly metrics: MetricsView;
  private readonly tabs: Tabs;
  private readonly actions: TaskActions;
  private readonly drawn = new Map<HTMLElement, string>();
  private shown: { path: string; state: string; chosen: boolean } = { path: '', state: '', chosen: false };
  /** The iteration that the user chose, by node. */
  private readonly chosen = new Map<string, string>();
  private readonly iteration: HTMLSelectElement;
  private task: TaskRun | null = null;
  private component = '';

  constructor(
    private readonly trans: Translation,
    private readonly options: PaneOptions
  ) {
    this.actions = new TaskActions(trans, options.notebook, options.onRerun);
    this.log = new LogPane(trans);
    this.metrics = new MetricsView(trans);
    const tabs = [
      { name: 'error', label: trans.__('Error'), panel: this.error },
      { name: 'logs', label: trans.__('Logs'), panel: this.log.node },
      { name: 'inputs', label: trans.__('Inputs'), panel: this.inputs },
      { name: 'outputs', label: trans.__('Outputs'), panel: this.outputs },
      { name: 'metrics', label: trans.__('Metrics'), panel: this.metrics.node }
    ];
    this.tabs = new Tabs(trans.__('Task details'), tabs, (name, byUser) => {
      this.shown.chosen ||= byUser;
      this.log.visible = name === 'logs' && this.task !== null;
    });
    this.iteration = html('select', { 'aria-label': trans.__('Iteration') });
    this.iteration.addEventListener('change', () => {
      this.chosen.set(nodeOf(this.iteration.value), this.iteration.value);
      options.onIteration();
    });
    const copy = copyButton(trans, () => this.path.textContent);
    this.place = html('p', { class: 'kfp-note kfp-dim kfp-path', title: trans.__('The task’s name for %kfp debug and %kfp logs') }, this.path, copy);
    const choice = html('div', { class: 'kfp-pane-iteration' }, this.iteration);
    const close = iconButton('close', trans.__('Close'), options.onClose);
    const head = html('div', { class: 'kfp-pane-head' }, this.icon, this.title, choice, this.detail, close);
    this.node = html('section', { class: 'kfp-pane', hidden: true }, head, this.place, this.usage, this.message, this.actions.node, this.tabs.node);
  }

  /** Show a task of a document; null hides the pane. */
  show(document: RunDocument, node: GraphNode | null, store: Store | null): void {
    this.node.hidden = node === null;
    const path = node !== null && hasFullRun(document) ? this.offer(document.run, node.id) : (node?.id ?? '');
    this.task = hasFullRun(document) ? (document.run.tasks[path] ?? null) : null;
    if (node === null) {
      this.log.visible = false;
      this.shown = { path: '', state: '', chosen: false };
      return;
    }
    const { task } = this;
    this.component = node.component === node.label ? '' : node.component;
    this.node.setAttribute('aria-label', this.trans.__('Task %1', node.label));
    setText(this.title, node.label);
    if (this.shown.state !== taskLook(task) || this.shown.path !== path) {
      fill(this.icon, stateImage(taskLook(task), 16));
    }
    this.tick();
    const message = task === null || !hasFullRun(document) ? '' : withNames(document, task.message);
    const words = [task?.reason ?? '', message].filter(word => word !== '').join(': ');
    // What people read of an iteration is no name for `%kfp debug` and `%kfp logs`.
    setText(this.path, path);
    this.place.hidden = path === node.label || isFrame(node) || task === null;
    const cached = task === null || task.cached_from === '' ? '' : this.trans.__('Result of run %1.', task.cached_from);
    const told = task !== null && task.error !== null;
    setText(this.message, [told ? '' : words, cached].filter(word => word !== '').join(' '));
    this.tabs.node.hidden = task === null;
    if (task === null || !hasFullRun(document)) {
      setText(this.message, this.component === '' ? '' : this.trans.__('Component %1', this.component));
      this.log.visible = false;
      this.actions.hide();
    } else {
      this.actions.show(document, node, path, task, store);
      this.fillTabs(document.run.id, path, task, store);
      this.tabs.present('metrics', this.metrics.show(document, path));
    }
    this.chooseTab(path, task);
  }

  /** Let the duration of a running task grow. */
  tick(): void {
    setText(this.usage, usageText(this.task, this.trans, this.options.clock()));
    this.usage.classList.toggle('kfp-over', isOverMemory(this.task));
    setText(this.detail, cardDetail(this.task, this.component, this.trans, this.options.clock()));
  }

  /** Ask the kernel for nothing any more. */
  dispose(): void {
    this.log.dispose();
  }

  /** Offer the iterations of a node and return the path of the one to show: the user's choice, or what wants to be seen. */
  private offer(run: Run, node: string): string {
    const paths = pathsOf(run, node);
    const chosen = this.chosen.get(node) ?? '';
    const first = (state: State): string | undefined => paths.find(path => run.tasks[path]?.state === state);
    const path = paths.includes(chosen) ? chosen : (first('FAILED') ?? first('RUNNING') ?? paths[0] ?? node);
    const names = paths.length < 2 ? [] : iterationNames(run, paths);
    const options = paths.map((each, index) => {
      const word = stateWord(taskLook(run.tasks[each] ?? null), this.trans);
      return html('option', { value: each }, `${names[index] ?? ''} · ${word}`);
    });
    this.redraw(this.iteration, [paths, options.map(option => option.textContent)], () => options);
    this.iteration.value = path;
    this.iteration.parentElement?.toggleAttribute('hidden', paths.length < 2);
    return path;
  }

  private fillTabs(run: string, path: string, task: TaskRun, store: Store | null): void {
    this.log.show(run, path, task, store);
    this.redraw(this.inputs, task.inputs, () => [parameterTable(task.inputs, this.trans)]);
    this.redraw(this.outputs, [task.outputs, task.artifacts], () => [
      html('h4', {}, this.trans.__('Parameters')),
      parameterTable(task.outputs, this.trans),
      html('h4', {}, this.trans.__('Artifacts')),
      artifactList(task.artifacts, this.trans)
    ]);
    const { error } = task;
    this.redraw(this.error, error, () => (error === null ? [] : errorElements(error, this.trans, this.options.notebook)));
    this.tabs.present('error', error !== null);
  }

  /** Another task opens at its error or its log; so does a watched task that fails, unless the user has chosen a tab. */
  private chooseTab(path: string, task: TaskRun | null): void {
    const state = taskLook(task);
    const another = path !== this.shown.path;
    if (another) {
      this.shown = { path, state, chosen: false };
    }
    const failed = task !== null && task.error !== null;
    if (another || (state !== this.shown.state && !this.shown.chosen)) {
      this.tabs.activate(failed ? 'error' : 'logs', false);
    }
    this.shown.state = state;
  }

  /** Replace what an element holds, if the value that it shows is another (an open list of metadata stays open). */
  private redraw(element: HTMLElement, value: unknown, children: () => HTMLElement[]): void {
    const key = JSON.stringify(value);
    if (this.drawn.get(element) !== key) {
      this.drawn.set(element, key);
      fill(element, ...children());
    }
  }
}

/** Return what a reader needs of an error, the place in their own cell first. */
function errorElements(error: TaskError, trans: Translation, notebook: NotebookActions | null): HTMLElement[] {
  const place =
    error.file === '' ? '' : error.line > 0 ? trans.__('%1, line %2', error.file, error.line) : error.file;
  const title = html('p', { class: 'kfp-error-title' }, html('strong', {}, error.type), `: ${error.message}`);
  // Asked again when it is clicked: meanwhile the cell may have run again.
  const goTo = (): (() => void) | null => notebook?.goTo(error.file, error.line) ?? null;
  const onclick = (): void => goTo()?.();
  const link = goTo() === null ? place : html('button', { type: 'button', class: 'kfp-link', title: trans.__('Go there'), onclick }, place);
  const where = html('p', { class: 'kfp-error-place' }, link);
  const traceback = html('div', { class: 'kfp-log-pane' });
  traceback.append(copyButton(trans, () => error.traceback), html('pre', { class: 'kfp-log kfp-mod-end', tabindex: 0 }, html('span', {}, error.traceback)));
  return [title, ...(place === '' ? [] : [where]), ...(error.traceback === '' ? [] : [traceback])];
}
