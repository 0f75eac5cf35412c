/**
 * The sidebar: the panel of the current notebook, and runs opened large in tabs of their own.
 */
import type { JupyterFrontEnd } from '@jupyterlab/application';
import { MainAreaWidget } from '@jupyterlab/apputils';
import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import { LabIcon } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import { Widget } from '@lumino/widgets';

import type { Kernels } from './kernels';
import { Notebook } from './notebook';
import { Panel } from './panel';
import { RunView } from './runView';
import type { Store } from './store';
import type { Translation } from './translation';

/** The id of the sidebar's widget. */
export const SIDEBAR_ID = 'kfp-jupyter-sidebar';

/** What the kernel is asked to execute to load our part of it. */
const LOAD = '%load_ext kfp_jupyter';

/** The icon: a task that leads to two, in the colour that JupyterLab gives its own. */
export const pipelineIcon = new LabIcon({
  name: 'kfp-jupyter:pipeline',
  svgstr:
    '<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24">' +
    '<path class="jp-icon3" fill="#616161" d="M8 2h8a1.5 1.5 0 0 1 1.5 1.5v3A1.5 1.5 0 0 1 16 8h-3v2.6h5.5a1 1 0 0 1 1 1V15H21' +
    'a1.5 1.5 0 0 1 1.5 1.5v3A1.5 1.5 0 0 1 21 21h-5a1.5 1.5 0 0 1-1.5-1.5v-3A1.5 1.5 0 0 1 16 15h1.5v-2.4h-11V15H8a1.5' +
    ' 1.5 0 0 1 1.5 1.5v3A1.5 1.5 0 0 1 8 21H3a1.5 1.5 0 0 1-1.5-1.5v-3A1.5 1.5 0 0 1 3 15h1.5v-3.4a1 1 0 0 1 1-1H11V8H8' +
    'a1.5 1.5 0 0 1-1.5-1.5v-3A1.5 1.5 0 0 1 8 2z"/></svg>'
});

/** The sidebar's widget; it follows the current notebook. */
export class Sidebar extends Widget {
  /** What it shows. */
  readonly panel: Panel;
  private current: NotebookPanel | null = null;
  private unfollow: (() => void) | null = null;

  constructor(
    private readonly app: JupyterFrontEnd,
    private readonly tracker: INotebookTracker,
    private readonly kernels: Kernels,
    private readonly trans: Translation
  ) {
    super();
    this.id = SIDEBAR_ID;
    this.title.icon = pipelineIcon;
    this.title.caption = trans.__('Kubeflow Pipelines');
    this.addClass('kfp-sidebar');
    this.panel = new Panel(trans, {
      load: () => this.load(),
      open: (store, run) => this.open(store, run)
    });
    this.node.append(this.panel.node);
    tracker.currentChanged.connect(() => {
      this.follow(tracker.currentWidget);
    });
    this.follow(tracker.currentWidget);
  }

  override dispose(): void {
    this.unfollow?.();
    this.panel.dispose();
    super.dispose();
  }

  protected override onAfterAttach(message: Message): void {
    super.onAfterAttach(message);
    this.panel.attached();
  }

  private follow(notebook: NotebookPanel | null): void {
    if (notebook === this.current && notebook !== null) {
      return;
    }
    this.unfollow?.();
    this.unfollow = null;
    this.current = notebook;
    if (notebook === null) {
      this.panel.show(null, null);
      return;
    }
    this.unfollow = this.kernels.follow(notebook.sessionContext, store => {
      this.panel.show(notebook.title.label, store);
    });
    notebook.disposed.connect(() => {
      if (notebook === this.current) {
        this.follow(this.tracker.currentWidget);
      }
    });
  }

  private async load(): Promise<void> {
    const kernel = this.current?.sessionContext.session?.kernel;
    if (kernel === null || kernel === undefined) {
      throw new Error(this.trans.__('The notebook has no running kernel.'));
    }
    // The kernel says hello when the extension is loaded, and the transport then connects.
    const reply = await kernel.requestExecute({ code: LOAD, store_history: false }).done;
    if (reply.content.status === 'error') {
      const { ename, evalue } = reply.content;
      throw new Error(
        ename === 'ModuleNotFoundError'
          ? this.trans.__('kfp_jupyter is not installed where this kernel runs. Install it there: pip install kfp-jupyter')
          : `${ename}: ${evalue}`
      );
    }
  }

  /** Show a run in a tab of the main area, or go to the tab that shows it. */
  private async open(store: Store, run: string): Promise<void> {
    const id = `kfp-jupyter-run-${run}`;
    if (this.goTo(id, store)) {
      return;
    }
    const document = await store.fetch(run);
    // Who presses twice wants one tab.
    if (this.goTo(id, store)) {
      return;
    }
    const notebook = this.current === null ? null : new Notebook(this.current, this.trans);
    const content = new RunTab(new RunView(document, 'run', this.trans, { notebook }), store);
    const tab = new MainAreaWidget({ content });
    tab.id = id;
    tab.toolbar.hide();
    tab.title.label = document.pipeline.display_name;
    tab.title.caption = run;
    tab.title.icon = pipelineIcon;
    tab.title.closable = true;
    this.app.shell.add(tab, 'main', { mode: 'split-right' });
    this.app.shell.activateById(id);
  }

  /** Go to the tab of that id, which from now on shows what this kernel tells; return false if there is none. */
  private goTo(id: string, store: Store): boolean {
    const tab = [...this.app.shell.widgets('main')].find(widget => widget.id === id);
    if (tab instanceof MainAreaWidget && tab.content instanceof RunTab) {
      tab.content.connect(store);
      this.app.shell.activateById(id);
      return true;
    }
    return false;
  }
}

/** A run in a tab of its own. */
class RunTab extends Widget {
  constructor(
    private readonly view: RunView,
    store: Store
  ) {
    super();
    this.addClass('kfp-run-tab');
    this.node.append(view.node);
    this.connect(store);
  }

  /** Follow what a kernel tells. */
  connect(store: Store): void {
    this.view.connect(store);
  }

  override dispose(): void {
    this.view.dispose();
    super.dispose();
  }

  protected override onAfterAttach(message: Message): void {
    super.onAfterAttach(message);
    this.view.attached();
  }
}
