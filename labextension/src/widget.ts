/**
 * The view of a run for front ends without our JupyterLab extension (VS Code, Colab, marimo).
 *
 * anywidget loads this module from the widget's own state, so it must stay one self-contained ES module: no
 * import of `@jupyterlab/*` or `@lumino/*` may reach it.
 */

/** What anywidget hands to `render`: the part of its model that this view reads. */
interface WidgetModel {
  get(name: string): unknown;
  on(event: string, callback: () => void): void;
  off(event: string, callback: () => void): void;
}

/** What anywidget passes to `render`. */
export interface RenderContext {
  model: WidgetModel;
  el: HTMLElement;
}

/** The trait that carries the run's snapshot. */
const SNAPSHOT = 'snapshot';

/**
 * Draw the widget into `el` and keep it current.
 *
 * @returns the function that anywidget calls when the view goes away.
 */
function render({ model, el }: RenderContext): () => void {
  const summary = document.createElement('p');
  summary.setAttribute('role', 'status');
  el.classList.add('kfp-jupyter');
  el.append(summary);
  const update = (): void => {
    summary.textContent = JSON.stringify(model.get(SNAPSHOT) ?? null);
  };
  model.on(`change:${SNAPSHOT}`, update);
  update();
  return () => {
    model.off(`change:${SNAPSHOT}`, update);
  };
}

export default { render };
