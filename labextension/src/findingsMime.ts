/**
 * The renderer of findings in the outputs of cells.
 */
import type { IRenderMime } from '@jupyterlab/rendermime-interfaces';
import type { Message } from '@lumino/messaging';
import { Widget } from '@lumino/widgets';

import { FINDINGS_MIME_TYPE, findingsIn } from './findings';
import { FindingsView } from './findingsView';
import type { Marks } from './marks';
import { RANK } from './mime';
import { Notebook, panelAround } from './notebook';
import type { Translation } from './translation';

/** Return the factory that renders findings. */
export function findingsFactory(marks: Marks, trans: Translation): IRenderMime.IRendererFactory {
  return {
    // Everything is drawn as text nodes; nothing of the data becomes markup, so untrusted data may be drawn.
    safe: true,
    mimeTypes: [FINDINGS_MIME_TYPE],
    defaultRank: RANK,
    createRenderer: () => new FindingsRenderer(marks, trans)
  };
}

/** One output that holds findings; its links hold as long as the cells that they lead to. */
class FindingsRenderer extends Widget implements IRenderMime.IRenderer {
  private view: FindingsView | null = null;

  constructor(
    private readonly marks: Marks,
    private readonly trans: Translation
  ) {
    super();
    this.addClass('kfp-found');
    marks.changed.connect(this.refresh);
  }

  renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    this.view = new FindingsView(findingsIn(model.data[FINDINGS_MIME_TYPE]), this.trans);
    this.node.replaceChildren(this.view.node);
    this.refresh();
    return Promise.resolve();
  }

  override dispose(): void {
    this.marks.changed.disconnect(this.refresh);
    super.dispose();
  }

  protected override onAfterAttach(message: Message): void {
    super.onAfterAttach(message);
    this.refresh();
  }

  private readonly refresh = (): void => {
    const panel = this.isAttached ? panelAround(this) : null;
    this.view?.attached();
    if (panel !== null) {
      const notebook = new Notebook(panel, this.trans, this);
      this.view?.show(finding => notebook.find(finding));
    }
  };
}
