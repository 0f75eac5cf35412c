/**
 * What the sidebar shows of the current notebook: its pipelines, where and with what to run them, and the runs.
 *
 * Plain elements over a {@link Store}; who the current notebook is, and what opening a run means, is told by
 * the sidebar around it.
 */
import { button } from './buttons';
import { fill, html, setAttribute, setText } from './dom';
import { VIEW_CLASS, defineLook } from './look';
import { ParameterForm } from './parameterForm';
import { type CommandFailure, type Pipeline, type RunSummary, isFinished } from './protocol';
import { RunFilter } from './runFilter';
import { RunList } from './runList';
import { CommandError, type Store } from './store';
import { TargetPicker } from './targetPicker';
import type { Translation } from './translation';

/** What the panel asks of the sidebar. */
export interface PanelActions {
  /** Load kfp_jupyter in the notebook's kernel; rejects with an error whose message is for the user. */
  load: () => Promise<void>;
  /** Show a run large; rejects if the kernel cannot tell it. */
  open: (store: Store, run: string) => Promise<void>;
}

/** Milliseconds between two ticks of the runs' durations. */
const TICK = 1000;

/** The panel. */
export class Panel {
  readonly node: HTMLElement;
  private readonly status = html('div', { class: 'kfp-panel-status' });
  private readonly body: HTMLElement;
  private readonly alert = html('div', { class: 'kfp-alert', role: 'alert', hidden: true });
  private readonly choices = html('div', { class: 'kfp-choices', role: 'radiogroup' });
  private readonly description = html('p', { class: 'kfp-dim' });
  private readonly form: ParameterForm;
  private readonly picker: TargetPicker;
  private readonly local: HTMLButtonElement;
  private readonly cluster: HTMLButtonElement;
  private readonly runSection: HTMLElement;
  private readonly hint: HTMLElement;
  private readonly filter: RunFilter;
  private readonly runs: RunList;
  private store: Store | null = null;
  private unsubscribe: (() => void) | null = null;
  private notebook: string | null = null;
  private chosen = '';
  private statusKey = '';
  private choicesKey = '';
  /** The buttons that were pressed, as long as their kernels have not answered. */
  private readonly pressed = new Map<Store, HTMLButtonElement>();
  private readonly timer: ReturnType<typeof setInterval>;

  constructor(
    private readonly trans: Translation,
    private readonly actions: PanelActions
  ) {
    this.form = new ParameterForm(trans);
    this.picker = new TargetPicker(trans, target => {
      this.showButtons();
      void this.use(target);
    });
    this.local = button('play', trans.__('Run locally'), () => {
      void this.run('local');
    });
    this.cluster = button('cluster', trans.__('Run on cluster'), () => {
      void this.run('cluster');
    });
    this.filter = new RunFilter(trans, () => {
      this.showRuns();
    });
    this.runs = new RunList(trans, {
      open: run => {
        void this.attempt(store => this.actions.open(store, run));
      },
      cancel: run => {
        void this.attempt(store => store.request('cancel', { run }));
      }
    });
    this.choices.setAttribute('aria-label', trans.__('Pipelines'));
    this.choices.addEventListener('keydown', event => {
      this.onKey(event);
    });
    this.hint = html(
      'p',
      { class: 'kfp-dim' },
      trans.__('No pipelines yet. Run a cell that begins with'),
      ' ',
      html('code', {}, '%%pipeline'),
      '.'
    );
    const buttons = html('div', { class: 'kfp-actions' }, this.local, this.cluster);
    this.runSection = section(trans.__('Run'), this.picker.node, this.form.node, this.alert, buttons);
    this.body = html(
      'div',
      {},
      section(trans.__('Pipelines'), this.choices, this.description, this.hint),
      this.runSection,
      section(trans.__('Runs'), this.filter.node, this.runs.node)
    );
    this.node = html('div', { class: `${VIEW_CLASS} kfp-panel` }, this.status, this.body);
    this.timer = setInterval(() => {
      if (this.node.isConnected && this.store?.workbench?.runs.some(run => !isFinished(run.state)) === true) {
        this.runs.tick();
      }
    }, TICK);
    this.update();
  }

  /** Show another notebook; null for none. */
  show(notebook: string | null, store: Store | null): void {
    this.notebook = notebook;
    if (store !== this.store) {
      this.unsubscribe?.();
      this.store = store;
      this.complain(null);
      this.unsubscribe =
        store?.subscribe(change => {
          if (change.kind === 'trouble') {
            this.complain(change.failure);
          } else if (change.kind !== 'run') {
            this.update();
          }
        }) ?? null;
    }
    this.update();
  }

  /** Define the colours where the panel was put. */
  attached(): void {
    defineLook(this.node);
  }

  /** The pipeline that the buttons run. */
  get pipeline(): Pipeline | null {
    const pipelines = this.store?.workbench?.pipelines ?? [];
    return pipelines.find(pipeline => pipeline.name === this.chosen) ?? pipelines[0] ?? null;
  }

  /** Why the chosen pipeline cannot be run there; empty if it can. */
  obstacle(where: 'local' | 'cluster'): string {
    if (this.store?.connection !== 'connected') {
      return this.trans.__('The notebook’s kernel is not connected.');
    }
    if (this.pipeline === null) {
      return this.trans.__('The notebook has no pipelines.');
    }
    return where === 'local' ? '' : this.picker.clusterObstacle;
  }

  /** Run the chosen pipeline with the form's arguments. */
  async run(where: 'local' | 'cluster'): Promise<void> {
    const { pipeline, store } = this;
    const target = where === 'local' ? 'local' : (this.picker.cluster?.id ?? '');
    const given = this.form.arguments();
    if (store === null || pipeline === null || target === '' || given === null || this.pressed.has(store)) {
      return;
    }
    this.pressed.set(store, where === 'local' ? this.local : this.cluster);
    this.showButtons();
    try {
      await this.attempt(() => store.request('run', { pipeline: pipeline.name, target, arguments: given }));
    } finally {
      this.pressed.delete(store);
      this.showButtons();
    }
  }

  /** Cancel the newest of the listed runs that has not ended. */
  async cancelNewest(): Promise<void> {
    const open = this.listed().find(run => !isFinished(run.state));
    if (open !== undefined) {
      await this.attempt(store => store.request('cancel', { run: open.id }));
    }
  }

  /** End every subscription and timer. */
  dispose(): void {
    this.unsubscribe?.();
    clearInterval(this.timer);
  }

  private async use(target: string): Promise<void> {
    if (!(await this.attempt(store => store.request('use', { target })))) {
      this.picker.reset();
      this.update();
    }
  }

  /** Ask the kernel, tell what it refuses unless another notebook is shown by then, and return whether it did as asked. */
  private async attempt(command: (store: Store) => Promise<unknown>): Promise<boolean> {
    const { store } = this;
    let failure: CommandFailure | null = null;
    try {
      await (store === null ? null : command(store));
    } catch (reason) {
      failure = reason instanceof CommandError ? reason.failure : { what: String(reason), where: '', remedy: '' };
    }
    if (store === this.store) {
      this.complain(failure);
    }
    return failure === null;
  }

  private complain(failure: CommandFailure | null): void {
    this.alert.hidden = failure === null;
    fill(
      this.alert,
      failure !== null && html('p', { class: 'kfp-alert-what' }, failure.what),
      failure !== null && failure.where !== '' && html('p', { class: 'kfp-dim' }, failure.where),
      failure !== null && failure.remedy !== '' && html('p', {}, failure.remedy)
    );
  }

  private update(): void {
    this.showStatus();
    const workbench = this.store?.workbench ?? null;
    const connected = this.store?.connection === 'connected';
    this.body.hidden = workbench === null || !connected;
    if (workbench === null || !connected) {
      return;
    }
    const { pipeline } = this;
    this.showChoices(workbench.pipelines, pipeline);
    this.hint.hidden = pipeline !== null;
    this.runSection.hidden = pipeline === null;
    setText(this.description, pipeline?.description ?? '');
    this.description.hidden = this.description.textContent === '';
    this.picker.show(workbench.targets, workbench.target);
    if (pipeline !== null) {
      this.form.show(pipeline);
    }
    this.showButtons();
    this.showRuns();
  }

  private showRuns(): void {
    const workbench = this.store?.workbench ?? null;
    if (workbench !== null) {
      const pipelines = new Map(workbench.pipelines.map(each => [each.name, each]));
      this.runs.show(this.listed(), pipelines, workbench.notebook, this.filter.emptiness(workbench));
    }
  }

  private listed(): RunSummary[] {
    const workbench = this.store?.workbench ?? null;
    if (workbench === null) {
      return [];
    }
    return this.filter.listed(workbench, new Map(workbench.pipelines.map(each => [each.name, each.display_name])));
  }

  private showStatus(): void {
    const connection = this.notebook === null ? 'none' : (this.store?.connection ?? 'disconnected');
    const key = `${connection} ${this.notebook ?? ''}`;
    if (key === this.statusKey) {
      return;
    }
    this.statusKey = key;
    this.status.hidden = connection === 'connected';
    fill(this.status, ...this.statusElements(connection));
  }

  private statusElements(connection: string): (HTMLElement | null)[] {
    const { trans } = this;
    const paragraph = (text: string): HTMLElement => html('p', { class: 'kfp-dim' }, text);
    switch (connection) {
      case 'none':
        return [paragraph(trans.__('Open a notebook to see its pipelines here.'))];
      case 'connecting':
        return [paragraph(trans.__('Connecting to the kernel…'))];
      case 'not-loaded':
        return [
          paragraph(trans.__('kfp_jupyter is not loaded in the kernel of %1.', this.notebook ?? '')),
          this.loadButton()
        ];
      case 'disconnected':
        return [paragraph(trans.__('%1 has no running kernel. Start one to see its pipelines here.', this.notebook ?? ''))];
      default:
        return [];
    }
  }

  private loadButton(): HTMLElement {
    const { trans } = this;
    const problem = html('p', { class: 'kfp-mod-bad', role: 'alert' });
    const load = button(null, trans.__('Load kfp_jupyter'), () => {
      load.disabled = true;
      setText(problem, '');
      this.actions
        .load()
        .catch((reason: unknown) => {
          setText(problem, reason instanceof Error ? reason.message : String(reason));
        })
        .finally(() => {
          load.disabled = false;
        });
    });
    load.classList.add('kfp-mod-first');
    return html('div', { class: 'kfp-actions' }, load, problem);
  }

  private showChoices(pipelines: readonly Pipeline[], current: Pipeline | null): void {
    const key = JSON.stringify([pipelines.map(pipeline => [pipeline.name, pipeline.display_name]), current?.name]);
    if (key === this.choicesKey) {
      return;
    }
    this.choicesKey = key;
    const focused = this.choices.contains(document.activeElement);
    const choices = pipelines.map(pipeline => {
      const checked = pipeline.name === current?.name;
      const attributes = { type: 'button', role: 'radio', 'aria-checked': String(checked), tabindex: checked ? 0 : -1 };
      const onclick = (): void => {
        this.choose(pipeline.name);
      };
      return html('button', { ...attributes, class: 'kfp-choice', title: pipeline.name, onclick }, pipeline.display_name);
    });
    fill(this.choices, ...choices);
    if (focused) {
      this.choices.querySelector<HTMLElement>('[aria-checked="true"]')?.focus();
    }
  }

  private choose(name: string): void {
    if (name !== this.pipeline?.name) {
      this.chosen = name;
      this.complain(null);
      this.update();
    }
  }

  private onKey(event: KeyboardEvent): void {
    const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
    const pipelines = this.store?.workbench?.pipelines ?? [];
    if (step !== undefined && pipelines.length > 0) {
      const index = pipelines.findIndex(pipeline => pipeline.name === this.pipeline?.name);
      this.choose(pipelines[(index + step + pipelines.length) % pipelines.length]?.name ?? '');
      event.preventDefault();
    }
  }

  private showButtons(): void {
    const target = this.picker.cluster;
    const obstacle = this.obstacle('cluster');
    const pressed = this.store === null ? undefined : this.pressed.get(this.store);
    for (const each of [this.local, this.cluster]) {
      each.classList.toggle('kfp-mod-busy', each === pressed);
    }
    this.local.disabled = pressed !== undefined || this.obstacle('local') !== '';
    this.cluster.disabled = pressed !== undefined || obstacle !== '';
    const where = target === null ? '' : this.trans.__('Run on %1', target.label);
    setAttribute(this.cluster, 'title', obstacle === '' ? where : obstacle);
    const toCluster = this.picker.picksCluster;
    this.cluster.classList.toggle('kfp-mod-first', toCluster);
    this.local.classList.toggle('kfp-mod-first', !toCluster);
  }
}

function section(title: string, ...children: HTMLElement[]): HTMLElement {
  return html('section', { class: 'kfp-panel-section', 'aria-label': title }, html('h4', {}, title), ...children);
}
