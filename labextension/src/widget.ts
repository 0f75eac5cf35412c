/**
 * The view of a run for front ends without our JupyterLab extension (VS Code, Colab, marimo).
 *
 * anywidget loads this module from the widget's own state, so it must stay one self-contained ES module: no
 * import of `@jupyterlab/*` or `@lumino/*` may reach it. The trait `snapshot` is the run document as it was when the
 * widget was made, and again when its run has ended; between the two the widget's messages tell.
 */
import style from '../style/base.css';
import { html } from './dom';
import { isRunDocument } from './protocol';
import { RunView } from './runView';
import { Store } from './store';
import { ENGLISH, ownWords } from './translation';
import { type WidgetModel, WidgetTransport } from './widgetTransport';

/** What anywidget passes to `render`. */
export interface RenderContext {
  model: WidgetModel;
  el: HTMLElement;
}

/** The trait that carries the run document. */
const SNAPSHOT = 'snapshot';

/**
 * Draw the widget into `el` and keep it current.
 *
 * @returns the function that anywidget calls when the view goes away.
 */
function render({ model, el }: RenderContext): () => void {
  const document = model.get(SNAPSHOT);
  const trans = ownWords(navigator.language) ?? ENGLISH;
  if (!isRunDocument(document)) {
    el.append(html('p', {}, trans.__('This output is of another version of kfp_jupyter.')));
    return () => undefined;
  }
  const store = new Store(new WidgetTransport(model), trans);
  const view = new RunView(document, 'run', trans);
  // With the view, since the element may stand in a shadow tree that no style of the page reaches.
  el.append(html('style', {}, style), view.node);
  view.attached();
  view.connect(store);
  const update = (): void => {
    const current = model.get(SNAPSHOT);
    if (isRunDocument(current)) {
      view.show(current);
    }
  };
  model.on(`change:${SNAPSHOT}`, update);
  return () => {
    model.off(`change:${SNAPSHOT}`, update);
    view.dispose();
    store.dispose();
  };
}

export default { render };
