/**
 * The list of runs: how each stands, where, for how long; open it, cancel it.
 */
import { iconButton } from './buttons';
import { fill, html, setAttribute, setText } from './dom';
import { clockTime, dateTime, valueText } from './format';
import { lookName, stateImage } from './look';
import { type Pipeline, type RunSummary, isFinished } from './protocol';
import { runningTime, stateWord } from './stateText';
import type { Translation } from './translation';

/** What the list can be asked to do. */
export interface RunListActions {
  open: (run: string) => void;
  cancel: (run: string) => void;
}

interface Row {
  element: HTMLElement;
  icon: HTMLElement;
  name: HTMLElement;
  detail: HTMLElement;
  cancel: HTMLButtonElement;
  open: HTMLButtonElement;
  summary: RunSummary;
  /** The arguments that are not the pipeline's defaults: what tells its runs apart. */
  given: string;
  /** The name of the notebook that it is of, if that is another. */
  notebook: string;
  state: string;
}

/** The list. Rows stay the same elements as long as their runs are listed, so a focus survives every update. */
export class RunList {
  readonly node: HTMLElement;
  private readonly list = html('ul', { class: 'kfp-runs' });
  private readonly empty = html('p', { class: 'kfp-dim' });
  private readonly rows = new Map<string, Row>();

  constructor(
    private readonly trans: Translation,
    private readonly actions: RunListActions
  ) {
    this.node = html('div', {}, this.list, this.empty);
  }

  /**
   * Show runs, in the order given.
   *
   * @param pipelines - The pipelines that are known, by name.
   * @param notebook - The path of the current notebook; a run of another says so.
   * @param emptiness - What to say if there are none.
   */
  show(runs: readonly RunSummary[], pipelines: ReadonlyMap<string, Pipeline>, notebook: string, emptiness: string): void {
    const listed = new Set(runs.map(run => run.id));
    for (const [id, row] of this.rows) {
      if (!listed.has(id)) {
        row.element.remove();
        this.rows.delete(id);
      }
    }
    runs.forEach((run, index) => {
      const pipeline = pipelines.get(run.pipeline);
      const row = this.rows.get(run.id) ?? this.made(run);
      row.summary = run;
      setText(row.name, pipeline?.display_name ?? run.pipeline);
      row.given = given(run, pipeline);
      row.notebook = run.notebook === notebook ? '' : fileName(run.notebook);
      if (this.list.children[index] !== row.element) {
        this.list.insertBefore(row.element, this.list.children[index] ?? null);
      }
      this.update(row);
    });
    setText(this.empty, emptiness);
    this.empty.hidden = runs.length > 0;
  }

  /** Let the durations of unfinished runs grow. */
  tick(): void {
    for (const row of this.rows.values()) {
      this.update(row);
    }
  }

  private made(run: RunSummary): Row {
    const icon = html('span', { class: 'kfp-run-icon' });
    const name = html('span', { class: 'kfp-run-name' });
    const detail = html('span', { class: 'kfp-dim kfp-run-detail' });
    const open = html(
      'button',
      {
        type: 'button',
        class: 'kfp-run-open',
        onclick: () => {
          this.actions.open(run.id);
        }
      },
      icon,
      name,
      detail
    );
    const cancel = iconButton('stop', this.trans.__('Cancel run %1', run.id), () => {
      this.actions.cancel(run.id);
    });
    const element = html('li', {}, open, cancel);
    element.dataset.run = run.id;
    const row = { element, icon, name, detail, cancel, open, summary: run, given: '', notebook: '', state: '' };
    this.rows.set(run.id, row);
    return row;
  }

  private update(row: Row): void {
    const { summary } = row;
    const look = lookName(summary.state, false);
    if (row.state !== look) {
      row.state = look;
      row.element.dataset.state = look;
      fill(row.icon, stateImage(look, 16));
    }
    const word = stateWord(look, this.trans);
    const time = runningTime(summary, this.trans);
    const when = summary.created_at === null ? '' : clockTime(summary.created_at);
    const place = summary.target === 'local' ? '' : summary.target;
    setText(row.detail, [row.given, word, time, when, place, row.notebook].filter(part => part !== '').join(' · '));
    const created = summary.created_at === null ? '' : dateTime(summary.created_at);
    const title = [summary.id, created, summary.target, row.given, summary.notebook, summary.message].filter(part => part !== '').join('\n');
    setAttribute(row.open, 'title', title);
    row.cancel.hidden = isFinished(summary.state) || summary.state === 'CANCELING';
  }
}

/** Return the last part of a path. */
function fileName(path: string): string {
  return path.slice(Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1);
}

function given(run: RunSummary, pipeline: Pipeline | undefined): string {
  const defaults = new Map(pipeline?.inputs.map(input => [input.name, JSON.stringify(input.default)]));
  return Object.entries(run.arguments)
    .filter(([name, value]) => JSON.stringify(value) !== defaults.get(name))
    .map(([name, value]) => `${name}=${valueText(value)}`)
    .join(', ');
}
