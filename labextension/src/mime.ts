/**
 * Run documents in notebooks: the renderer of our MIME type, and the keeper that writes the end of a run into the file.
 *
 * A renderer draws what the output holds at once, trusted or not, and goes live when it finds itself in a notebook whose
 * kernel knows kfp_jupyter. What it shows meanwhile is never saved: the output's data changes only when a run has
 * ended, and then by the {@link Keeper}, which works on the notebook's model. So it does not matter whether the cell is on the
 * screen, and JupyterLab's own way from the output model to the shared document puts it into the file.
 */
import type { ISessionContext } from '@jupyterlab/apputils';
import type { CodeCellModel } from '@jupyterlab/cells';
import type { NotebookPanel } from '@jupyterlab/notebook';
import type { IRenderMime } from '@jupyterlab/rendermime-interfaces';
import type { IOutputModel } from '@jupyterlab/rendermime';
import type { Message } from '@lumino/messaging';
import { Widget } from '@lumino/widgets';

import type { Kernels } from './kernels';
import { Notebook, panelAround } from './notebook';
import type { NotebookActions } from './notebookActions';
import { RUN_MIME_TYPE, type Run, type RunDocument, type RunSummary, hasFullRun, isFinished, isObject, isRunDocument } from './protocol';
import { RunView } from './runView';
import { type Change, CommandError, type Store } from './store';
import { runFor } from './subject';
import type { Translation } from './translation';

/** The rank of the renderer: before that of widgets (-10), so that ours is taken where both could show an output. */
export const RANK = -20;

/** Milliseconds in which changes of a notebook are taken together. */
const PACE = 100;

/** Return the factory that renders run documents. */
export function rendererFactory(kernels: Kernels, trans: Translation): IRenderMime.IRendererFactory {
  return {
    // Everything is drawn as text nodes and shapes; nothing of the data becomes markup, so untrusted data may be drawn.
    safe: true,
    mimeTypes: [RUN_MIME_TYPE],
    defaultRank: RANK,
    createRenderer: () => new RunRenderer(kernels, trans)
  };
}

/** One output that holds a run document. */
class RunRenderer extends Widget implements IRenderMime.IRenderer {
  private view: RunView | null = null;
  /** The output as it is now: an update of a display puts another in its place. */
  private model: IRenderMime.IMimeModel | null = null;
  private unfollow: (() => void) | null = null;

  constructor(
    private readonly kernels: Kernels,
    private readonly trans: Translation
  ) {
    super();
    this.addClass('kfp-output');
  }

  renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    this.model = model;
    const document: unknown = model.data[RUN_MIME_TYPE];
    if (!isRunDocument(document)) {
      this.node.textContent = this.trans.__('This output is of another version of kfp_jupyter.');
    } else if (this.view !== null) {
      this.view.show(document);
    } else {
      this.view = new RunView(document, 'pipeline', this.trans, {
        notebook: this.notebook,
        replace: async (run, store) => {
          // As a cell that has started a run has it: named while it goes on, written out by the keeper when it has ended.
          const data = await store.request('bundle', { run });
          this.model?.setData({ data });
          // A short run may have ended while this was asked for; the keeper has looked by then.
          if (store.workbench?.runs.some(known => known.id === run && isFinished(known.state)) === true) {
            this.model?.setData({ data: await store.request('bundle', { run }) });
          }
        }
      });
      this.node.replaceChildren(this.view.node);
      this.goLive();
    }
    return Promise.resolve();
  }

  override dispose(): void {
    this.unfollow?.();
    this.view?.dispose();
    super.dispose();
  }

  protected override onAfterAttach(message: Message): void {
    super.onAfterAttach(message);
    this.goLive();
  }

  /** The notebook around, which is not known before the output is in it. */
  private readonly notebook: NotebookActions = {
    goTo: (cell, line) => this.around()?.goTo(cell, line) ?? null,
    insert: code => this.around()?.insert(code)
  };

  private around(): Notebook | null {
    const panel = panelAround(this);
    return panel === null ? null : new Notebook(panel, this.trans, this);
  }

  private goLive(): void {
    const { view } = this;
    if (view === null || !this.isAttached) {
      return;
    }
    view.attached();
    const session = sessionAround(this);
    if (session !== null && this.unfollow === null) {
      this.unfollow = this.kernels.follow(session, store => {
        view.connect(store);
      });
    }
  }
}

/** Return the session of the notebook or console that a widget is in. */
function sessionAround(widget: Widget): ISessionContext | null {
  for (let around: Widget | null = widget; around !== null; around = around.parent) {
    if ('sessionContext' in around) {
      return around.sessionContext as ISessionContext;
    }
  }
  return null;
}

/**
 * Writes the end of runs into the outputs of one notebook.
 *
 * It looks whenever the kernel connects or a run ends, and when an output that names a run which has ended comes into the
 * notebook: back from the bin, or with another version of the file. An output is written at most once for the end of a run, and
 * only if it does not hold that already.
 */
export class Keeper {
  private store: Store | null = null;
  private unsubscribe: (() => void) | null = null;
  private readonly unfollow: () => void;
  /** What was last seen of the runs: only an end, or a run of another kernel, is worth a look. */
  private seen = '';
  private looking: Promise<void> = Promise.resolve();
  /** The kernel was too busy to answer when it was looked last. */
  private missed = false;
  private timer: ReturnType<typeof setTimeout> | null = null;
  /** The outputs that were looked at because the notebook has changed: no change of it is a reason to look again. */
  private readonly met = new WeakSet<RunDocument>();

  constructor(
    private readonly panel: NotebookPanel,
    kernels: Kernels
  ) {
    this.unfollow = kernels.follow(panel.sessionContext, store => {
      this.unsubscribe?.();
      this.store = store;
      this.seen = '';
      this.unsubscribe =
        store?.subscribe(change => {
          this.onChange(change);
        }) ?? null;
      this.look();
    });
    panel.disposed.connect(() => {
      this.dispose();
    });
    void panel.context.ready.then(() => {
      panel.model?.contentChanged.connect(this.later);
    });
  }

  dispose(): void {
    if (this.timer !== null) {
      clearTimeout(this.timer);
    }
    this.panel.model?.contentChanged.disconnect(this.later);
    this.unfollow();
    this.unsubscribe?.();
    this.unsubscribe = null;
    this.store = null;
  }

  private onChange(change: Change): void {
    if (change.kind === 'connection') {
      this.seen = '';
    }
    // The list of runs and a run's own document overtake each other: the end is there when both have told of it.
    const runs = this.store?.workbench?.runs ?? [];
    const seen = JSON.stringify([runs, runs.map(run => this.store?.document(run.id)?.run)].map(ends));
    if (change.kind !== 'trouble' && (seen !== this.seen || (change.kind === 'answering' && this.missed))) {
      this.seen = seen;
      this.look();
    }
  }

  /** Look after a while at what changes now: a cell that prints changes the notebook with every line. */
  private readonly later = (): void => {
    this.timer ??= setTimeout(() => {
      this.timer = null;
      const named = this.outputs()
        .map(documentIn)
        .filter(saved => saved !== null && !this.met.has(saved) && this.hasEnded(saved));
      if (named.length > 0) {
        named.forEach(saved => saved !== null && this.met.add(saved));
        this.look();
      }
    }, PACE);
  };

  /** Say whether a document names a run that has ended, instead of telling its end. */
  private hasEnded(saved: RunDocument): boolean {
    const listed = hasFullRun(saved) ? undefined : this.store?.workbench?.runs.find(run => run.id === saved.run?.id);
    return listed !== undefined && isFinished(listed.state);
  }

  /** Look one after the other, so that two looks never write the same output. */
  private look(): void {
    this.looking = this.looking.then(() => this.keep());
  }

  private async keep(): Promise<void> {
    const { store } = this;
    this.missed = false;
    if (store?.connection !== 'connected') {
      return;
    }
    await this.panel.context.ready;
    for (const output of this.outputs()) {
      try {
        await this.keepEnd(output, store);
      } catch (reason) {
        this.missed ||= reason instanceof CommandError && reason.unanswered;
        console.warn('kfp_jupyter: the end of a run could not be kept in the notebook', reason);
      }
    }
  }

  private async keepEnd(output: IOutputModel, store: Store): Promise<void> {
    const saved = documentIn(output);
    const found = saved === null ? null : await runFor(saved, 'pipeline', store);
    if (saved === null || found === null || !isFinished(found.run.state) || holds(saved, found.run)) {
      return;
    }
    const bundle = await store.request('bundle', { run: found.run.id });
    // Meanwhile the cell may have been run again, or deleted.
    if (!this.outputs().includes(output)) {
      return;
    }
    if (documentIn(output) !== saved) {
      this.look();
    } else if (isRunDocument(bundle[RUN_MIME_TYPE])) {
      output.setData({ data: bundle });
    }
  }

  private outputs(): IOutputModel[] {
    const found: IOutputModel[] = [];
    for (const cell of this.panel.model?.cells ?? []) {
      if (cell.type === 'code') {
        const { outputs } = cell as CodeCellModel;
        for (let index = 0; index < outputs.length; index++) {
          found.push(outputs.get(index));
        }
      }
    }
    return found;
  }
}

/** Return the document in an output; the same object as long as nobody wrote the output. */
function documentIn(output: IOutputModel): RunDocument | null {
  // Not `output.data`, which copies everything, every time.
  const { data } = output.toJSON() as { data?: unknown };
  const document = isObject(data) ? data[RUN_MIME_TYPE] : null;
  return isRunDocument(document) ? document : null;
}

/** Return which of the runs have ended, and when: a run that has ended may go on, and end anew. */
function ends(runs: readonly (Pick<RunSummary, 'id' | 'state' | 'finished_at'> | undefined)[]): unknown[] {
  return runs.flatMap(run => (run !== undefined && isFinished(run.state) ? [[run.id, run.state, run.finished_at]] : []));
}

function holds(saved: RunDocument, run: Run): boolean {
  return hasFullRun(saved) && saved.run.id === run.id && saved.run.state === run.state && saved.run.finished_at === run.finished_at;
}
