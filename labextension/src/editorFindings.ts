/**
 * Keeps the findings in an editor those of its cell.
 */
import type { Extension } from '@codemirror/state';
import { type EditorView, ViewPlugin } from '@codemirror/view';
import type { CodeEditor } from '@jupyterlab/codeeditor';

import type { Marks } from './marks';
import { setFindings, squiggles } from './squiggles';
import type { Translation } from './translation';

/** Return the extension that draws a cell's findings, for the editor of any model; most have none. */
export function findingsExtension(model: CodeEditor.IModel, marks: Marks, trans: Translation): Extension {
  const following = ViewPlugin.define((view: EditorView) => {
    const follow = (_: Marks, changed: CodeEditor.IModel): void => {
      if (changed === model) {
        view.dispatch({ effects: setFindings.of(marks.of(model)) });
      }
    };
    marks.changed.connect(follow);
    return {
      destroy: () => {
        marks.changed.disconnect(follow);
      }
    };
  });
  return [squiggles(marks.of(model), trans), following];
}
