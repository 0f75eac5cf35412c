/**
 * The notebook around a view: to go to a line of a cell, to bring code into a new cell.
 */
import { Text } from '@codemirror/state';
import { EditorView } from '@codemirror/view';
import type { CodeCellModel } from '@jupyterlab/cells';
import type { NotebookPanel } from '@jupyterlab/notebook';
import type { Widget } from '@lumino/widgets';

import { type Finding, type Place, type Stretch, findingKey, lineOf, stretchesIn } from './findings';
import type { Spot } from './findingsView';
import { type Marks, cellOf, codeCells } from './marks';
import type { NotebookActions } from './notebookActions';
import { showStretch, stretchesOf } from './squiggles';
import type { Translation } from './translation';

/** One notebook, as our views act on it. */
export class Notebook implements NotebookActions {
  /**
   * @param panel - The notebook.
   * @param trans - The language.
   * @param within - The output that the view is in, if it is in one: new cells come after its cell.
   */
  constructor(
    private readonly panel: NotebookPanel,
    private readonly trans: Translation,
    private readonly within: Widget | null = null
  ) {}

  goTo(cell: string, line: number): (() => void) | null {
    const place: Place = { cell, line, column: 0, end: 0, id: '', text: null };
    const model = cellOf(place, codeCells(this.panel));
    if (model === null || line > textOf(model).lines) {
      return null;
    }
    return () => {
      void this.open(model, line, null);
    };
  }

  insert(code: string): void {
    const { content, model } = this.panel;
    if (model === null) {
      return;
    }
    const around = content.widgets.findIndex(cell => this.within !== null && cell.node.contains(this.within.node));
    const index = (around < 0 ? content.activeCellIndex : around) + 1;
    model.sharedModel.insertCell(index, { cell_type: 'code', source: code, metadata: { trusted: true } });
    content.activeCellIndex = index;
    this.panel.activate();
    const cell = content.widgets[index];
    if (cell !== undefined) {
      void content.scrollToCell(cell);
    }
  }

  /** Return where a finding is now; null if it is in no cell that ever was here. */
  find(finding: Finding): Spot | null {
    const cells = codeCells(this.panel);
    const model = cellOf(finding.where, cells);
    const line = model === null ? 0 : lineOf(finding.where, textOf(model));
    const jump = (): void => {
      if (model !== null) {
        void this.open(model, line, finding);
      }
    };
    const cell = this.panel.content.widgets.find(each => each.model === model);
    return { here: this.within !== null && cell?.node.contains(this.within.node) === true, line, jump };
  }

  /** Go to the finding after the cursor, or before it, from the last on to the first; return false if there are none. */
  step(marks: Marks, forward: boolean): boolean {
    const { content } = this.panel;
    const all = codeCells(this.panel).flatMap(model => {
      const index = content.widgets.findIndex(cell => cell.model === model);
      return stretchesIn(marks.of(model), textOf(model)).map(({ finding, from }) => ({ model, index, finding, from }));
    });
    const editor = content.activeCell?.editor;
    const cursor = editor ? editor.getOffsetAt(editor.getCursorPosition()) : -1;
    const order = (each: { index: number; from: number }): number =>
      each.index - content.activeCellIndex || each.from - cursor;
    const next = forward ? (all.find(each => order(each) > 0) ?? all[0]) : ([...all].reverse().find(each => order(each) < 0) ?? all.at(-1));
    if (next === undefined) {
      return false;
    }
    void this.open(next.model, lineOf(next.finding.where, textOf(next.model)), next.finding);
    return true;
  }

  /** Go to a line, or to a finding in it, once the cell has an editor. */
  private async open(model: CodeCellModel, line: number, finding: Finding | null): Promise<void> {
    const { content } = this.panel;
    const index = content.widgets.findIndex(cell => cell.model === model);
    const cell = content.widgets[index];
    if (cell === undefined) {
      return;
    }
    this.panel.activate();
    content.activeCellIndex = index;
    cell.inputHidden = false;
    await content.scrollToCell(cell);
    await cell.ready;
    const host = cell.editor?.host;
    const view = host === undefined ? null : EditorView.findFromDOM(host);
    if (view === null) {
      return;
    }
    content.mode = 'edit';
    const key = finding === null ? '' : findingKey(finding);
    const known: Stretch | undefined = stretchesOf(view.state).find(each => findingKey(each.finding) === key);
    if (known !== undefined) {
      showStretch(view, known, this.trans);
    } else {
      const { doc } = view.state;
      view.dispatch({ selection: { anchor: doc.line(Math.max(1, Math.min(line, doc.lines))).from }, scrollIntoView: true });
      view.focus();
    }
  }
}

/** Return the notebook that a widget is in, or null. */
export function panelAround(widget: Widget): NotebookPanel | null {
  for (let around: Widget | null = widget; around !== null; around = around.parent) {
    // A panel is told by what it has: its class would have to come from JupyterLab's notebook, and be the same one.
    if ('sessionContext' in around && 'content' in around && 'model' in around) {
      const panel = around as NotebookPanel;
      return panel.model !== null && 'cells' in panel.model ? panel : null;
    }
  }
  return null;
}

function textOf(cell: CodeCellModel): Text {
  return Text.of(cell.sharedModel.getSource().split('\n'));
}
