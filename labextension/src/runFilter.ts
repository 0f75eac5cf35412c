/**
 * Which of the runs are listed: those of this notebook or of all, and those of one pipeline or of all.
 *
 * Both choices are kept in the browser, for every notebook alike. A kept pipeline that no listed run has is left out of account, so
 * that another notebook does not look as if it had no runs.
 */
import { html, uniqueId } from './dom';
import type { RunSummary, WorkbenchMessage } from './protocol';
import type { Translation } from './translation';

/** Whose runs are listed. */
export type Scope = 'notebook' | 'all';

/** Where the choices are kept. */
const KEPT = 'kfp-jupyter:listed-runs';

/** The choice of what is listed. */
export class RunFilter {
  readonly node: HTMLElement;
  private readonly scopeChoice: HTMLElement;
  private readonly select: HTMLSelectElement;
  private readonly pipelineChoice: HTMLElement;
  private readonly allPipelines: HTMLOptionElement;
  private wanted: { scope: Scope; pipeline: string };
  private key = '';

  /**
   * @param onChange - Called when the user has chosen something else.
   */
  constructor(
    private readonly trans: Translation,
    onChange: () => void
  ) {
    this.wanted = kept();
    const choose = (change: Partial<typeof this.wanted>): void => {
      this.wanted = { ...this.wanted, ...change };
      keep(this.wanted);
      onChange();
    };
    const name = uniqueId('scope');
    const scope = (value: Scope, label: string): HTMLElement => {
      const onchange = (): void => {
        choose({ scope: value });
      };
      const input = html('input', { type: 'radio', name, value, onchange });
      input.checked = value === this.wanted.scope;
      return html('label', {}, input, html('span', {}, label));
    };
    this.scopeChoice = html(
      'div',
      { class: 'kfp-scope', role: 'radiogroup', 'aria-label': trans.__('Runs of') },
      scope('notebook', trans.__('This notebook')),
      scope('all', trans.__('All notebooks'))
    );
    this.allPipelines = html('option', { value: '' }, trans.__('All pipelines'));
    const onchange = (): void => {
      choose({ pipeline: this.select.value });
    };
    this.select = html('select', { 'aria-label': trans.__('Runs of the pipeline'), onchange }, this.allPipelines);
    this.pipelineChoice = html('div', { class: 'kfp-select' }, this.select);
    this.node = html('div', { class: 'kfp-filter' }, this.scopeChoice, this.pipelineChoice);
  }

  /**
   * Return the runs to list, and offer the choices that there are among them.
   *
   * @param names - What pipelines are called, by name; others are shown by their names.
   */
  listed(workbench: WorkbenchMessage, names: ReadonlyMap<string, string>): RunSummary[] {
    const { notebook, runs } = workbench;
    // A kernel that does not know its notebook cannot say which runs are the notebook's.
    this.scopeChoice.hidden = notebook === '';
    const ofScope = notebook === '' || this.wanted.scope === 'all' ? runs : runs.filter(run => run.notebook === notebook);
    const pipelines = [...new Set(ofScope.map(run => run.pipeline))].sort();
    const pipeline = pipelines.includes(this.wanted.pipeline) ? this.wanted.pipeline : '';
    this.offer(pipelines, names);
    this.select.value = pipeline;
    this.pipelineChoice.hidden = pipelines.length < 2;
    this.node.hidden = runs.length === 0 || (this.scopeChoice.hidden && this.pipelineChoice.hidden);
    return pipeline === '' ? ofScope : ofScope.filter(run => run.pipeline === pipeline);
  }

  /** What to say where nothing is listed. */
  emptiness(workbench: WorkbenchMessage): string {
    return workbench.runs.length === 0
      ? this.trans.__('No runs yet.')
      : this.trans.__('No runs of this notebook yet. “All notebooks” lists the others.');
  }

  private offer(pipelines: readonly string[], names: ReadonlyMap<string, string>): void {
    const offered = pipelines.map(pipeline => [pipeline, names.get(pipeline) ?? pipeline]);
    const key = JSON.stringify(offered);
    if (key !== this.key) {
      this.key = key;
      this.select.replaceChildren(this.allPipelines, ...offered.map(([value, name]) => html('option', { value }, name)));
    }
  }
}

function kept(): { scope: Scope; pipeline: string } {
  try {
    const found: unknown = JSON.parse(localStorage.getItem(KEPT) ?? '{}');
    const { scope, pipeline } = found as { scope?: unknown; pipeline?: unknown };
    return { scope: scope === 'all' ? 'all' : 'notebook', pipeline: typeof pipeline === 'string' ? pipeline : '' };
  } catch {
    // Nothing readable is there, or this browser keeps nothing for pages.
    return { scope: 'notebook', pipeline: '' };
  }
}

function keep(wanted: { scope: Scope; pipeline: string }): void {
  try {
    localStorage.setItem(KEPT, JSON.stringify(wanted));
  } catch {
    // A browser that keeps nothing for pages: the choice holds as long as the page.
  }
}
