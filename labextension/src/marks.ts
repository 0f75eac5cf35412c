/**
 * Which findings each cell of a notebook has, gathered from the outputs of all its cells.
 *
 * A finding is told in the output of the cell that ran, and may be about another cell: a helper, or with `%kfp check` any. The outputs are
 * the only memory: what is gathered from them holds after a reload too, and goes when an output does. A finding is of a cell that
 * ran under its number; when that cell has run again, it is past.
 */
import type { CodeCellModel } from '@jupyterlab/cells';
import type { CodeEditor } from '@jupyterlab/codeeditor';
import type { NotebookPanel } from '@jupyterlab/notebook';
import type { IOutputModel } from '@jupyterlab/rendermime';
import { Signal } from '@lumino/signaling';

import { FINDINGS_MIME_TYPE, type Finding, cellNumber, findingKey, findingsIn } from './findings';
import { isObject } from './protocol';

/** Milliseconds in which changes of a notebook's outputs are taken together. */
const PACE = 50;

/** The findings of all cells of this page. */
export class Marks {
  /** Emitted with the model of a cell whose findings are others now. */
  readonly changed = new Signal<this, CodeEditor.IModel>(this);
  private readonly held = new WeakMap<CodeEditor.IModel, readonly Finding[]>();

  /** Return the findings of a cell. */
  of(cell: CodeEditor.IModel): readonly Finding[] {
    return this.held.get(cell) ?? [];
  }

  /** Give a cell its findings. */
  set(cell: CodeEditor.IModel, findings: readonly Finding[]): void {
    const before = this.of(cell).map(findingKey).join();
    this.held.set(cell, findings);
    if (findings.map(findingKey).join() !== before) {
      this.changed.emit(cell);
    }
  }
}

/** Gathers the findings of one notebook, until that is closed. */
export class Gatherer {
  private readonly watched = new Set<CodeCellModel>();
  private timer: ReturnType<typeof setTimeout> | null = null;

  constructor(
    private readonly panel: NotebookPanel,
    private readonly marks: Marks
  ) {
    panel.disposed.connect(() => {
      this.dispose();
    });
    void panel.context.ready.then(() => {
      panel.model?.cells.changed.connect(this.later);
      this.later();
    });
  }

  dispose(): void {
    if (this.timer !== null) {
      clearTimeout(this.timer);
    }
    for (const cell of this.watched) {
      cell.outputs.changed.disconnect(this.later);
      cell.stateChanged.disconnect(this.later);
    }
    this.watched.clear();
  }

  /** Gather once what changes now and in a moment: a cell that prints changes its outputs with every line. */
  private readonly later = (): void => {
    this.timer ??= setTimeout(() => {
      this.timer = null;
      if (!this.panel.isDisposed) {
        this.gather();
      }
    }, PACE);
  };

  private gather(): void {
    const cells = codeCells(this.panel);
    for (const cell of cells) {
      if (!this.watched.has(cell)) {
        this.watched.add(cell);
        cell.outputs.changed.connect(this.later);
        cell.stateChanged.connect(this.later);
      }
    }
    const found = new Map<CodeCellModel, Map<string, Finding>>(cells.map(cell => [cell, new Map<string, Finding>()]));
    for (const cell of cells) {
      for (const finding of toldBy(cell)) {
        const about = cellOf(finding.where, cells);
        if (about !== null) {
          found.get(about)?.set(findingKey(finding), finding);
        }
      }
    }
    for (const [cell, findings] of found) {
      this.marks.set(cell, [...findings.values()]);
    }
    for (const cell of this.watched) {
      if (!found.has(cell)) {
        this.watched.delete(cell);
      }
    }
  }
}

/** Return the models of a notebook's code cells, in order. */
export function codeCells(panel: NotebookPanel): CodeCellModel[] {
  return [...(panel.model?.cells ?? [])].filter((cell): cell is CodeCellModel => cell.type === 'code');
}

/**
 * Return the cell of a notebook that a place is in, or null: it is gone, was run again, or never was in this notebook.
 *
 * @param place - The name under which the cell ran, and its id if that is known.
 */
export function cellOf(place: { cell: string; id: string }, cells: readonly CodeCellModel[]): CodeCellModel | null {
  const number = cellNumber(place);
  if (number === null) {
    return null;
  }
  const ran = (cell: CodeCellModel): boolean => cell.executionCount === number;
  if (place.id !== '') {
    return cells.find(cell => cell.id === place.id && ran(cell)) ?? null;
  }
  return cells.find(ran) ?? null;
}

function toldBy(cell: CodeCellModel): Finding[] {
  const found: Finding[] = [];
  for (let index = 0; index < cell.outputs.length; index++) {
    found.push(...toldIn(cell.outputs.get(index)));
  }
  return found;
}

function toldIn(output: IOutputModel): Finding[] {
  if (output.type === 'stream' || output.type === 'error') {
    return [];
  }
  // Not `output.data`, which copies everything, every time.
  const { data } = output.toJSON() as { data?: unknown };
  return isObject(data) && FINDINGS_MIME_TYPE in data ? findingsIn(data[FINDINGS_MIME_TYPE]).findings : [];
}
