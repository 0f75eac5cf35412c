/**
 * The JupyterLab side of kfp_jupyter: a list of small plugins, each with an id and a description.
 */
import { ILabShell, ILayoutRestorer, type JupyterFrontEnd, type JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { EditorExtensionRegistry, IEditorExtensionRegistry } from '@jupyterlab/codemirror';
import { INotebookTracker } from '@jupyterlab/notebook';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { ITranslator } from '@jupyterlab/translation';
import { Token } from '@lumino/coreutils';

import { findingsExtension } from './editorFindings';
import { findingsFactory } from './findingsMime';
import { Kernels } from './kernels';
import { Gatherer, Marks } from './marks';
import { Keeper, RANK, rendererFactory } from './mime';
import { Notebook } from './notebook';
import { Sidebar, SIDEBAR_ID, pipelineIcon } from './sidebar';
import { ENGLISH, type Translation, ownWords } from './translation';

/** The stores of this page's kernels. */
export const IKernels = new Token<Kernels>('kfp-jupyter:IKernels', 'What the kernels of this page tell of pipelines and runs.');

/** The sidebar with the pipelines of the current notebook. */
export const ISidebar = new Token<Sidebar>('kfp-jupyter:ISidebar', 'The sidebar with the pipelines of the current notebook.');

/** The findings of the cells of this page's notebooks. */
export const IMarks = new Token<Marks>('kfp-jupyter:IMarks', 'What checks have found in the cells of this page’s notebooks.');

/** The ids of the commands. */
export const CommandIDs = {
  version: 'kfp-jupyter:version',
  show: 'kfp-jupyter:show-panel',
  runLocally: 'kfp-jupyter:run-locally',
  runOnCluster: 'kfp-jupyter:run-on-cluster',
  cancel: 'kfp-jupyter:cancel',
  nextFinding: 'kfp-jupyter:next-finding',
  previousFinding: 'kfp-jupyter:previous-finding'
} as const;

const VERSION = '0.1.0';

const kernels: JupyterFrontEndPlugin<Kernels> = {
  id: 'kfp-jupyter:kernels',
  description: 'Keeps what each kernel tells of its pipelines and runs.',
  autoStart: true,
  optional: [ITranslator],
  provides: IKernels,
  activate: (_: JupyterFrontEnd, translator: ITranslator | null) => new Kernels(translation(translator))
};

const renderer: JupyterFrontEndPlugin<void> = {
  id: 'kfp-jupyter:renderer',
  description: 'Draws pipelines and their runs in the outputs of cells.',
  autoStart: true,
  requires: [IKernels, IRenderMimeRegistry],
  optional: [ITranslator],
  activate: (_: JupyterFrontEnd, stores: Kernels, registry: IRenderMimeRegistry, translator: ITranslator | null) => {
    registry.addFactory(rendererFactory(stores, translation(translator)), RANK);
  }
};

const keeper: JupyterFrontEndPlugin<void> = {
  id: 'kfp-jupyter:keeper',
  description: 'Writes the end of a run into the output of its pipeline’s cell, so that the saved notebook holds it.',
  autoStart: true,
  requires: [IKernels, INotebookTracker],
  activate: (_: JupyterFrontEnd, stores: Kernels, tracker: INotebookTracker) => {
    // The tracker tells of every notebook once; a keeper ends with its notebook.
    tracker.widgetAdded.connect((_sender, panel) => new Keeper(panel, stores));
    tracker.forEach(panel => new Keeper(panel, stores));
  }
};

const sidebar: JupyterFrontEndPlugin<Sidebar> = {
  id: 'kfp-jupyter:sidebar',
  description: 'Shows the pipelines and runs of the current notebook in a side panel, and starts runs.',
  autoStart: true,
  requires: [IKernels, INotebookTracker],
  optional: [ITranslator, ILayoutRestorer],
  provides: ISidebar,
  activate: (
    app: JupyterFrontEnd,
    stores: Kernels,
    tracker: INotebookTracker,
    translator: ITranslator | null,
    restorer: ILayoutRestorer | null
  ) => {
    const widget = new Sidebar(app, tracker, stores, translation(translator));
    app.shell.add(widget, 'left', { rank: 600 });
    restorer?.add(widget, SIDEBAR_ID);
    return widget;
  }
};

const commands: JupyterFrontEndPlugin<void> = {
  id: 'kfp-jupyter:commands',
  description: 'Commands of kfp_jupyter for the palette, menus and keyboard.',
  autoStart: true,
  requires: [ISidebar],
  optional: [ITranslator, ICommandPalette, ILabShell],
  activate: (
    app: JupyterFrontEnd,
    side: Sidebar,
    translator: ITranslator | null,
    palette: ICommandPalette | null,
    labShell: ILabShell | null
  ) => {
    const trans = translation(translator);
    const { panel } = side;
    const show = (): void => {
      if (labShell?.leftCollapsed === true) {
        labShell.expandLeft();
      }
      app.shell.activateById(SIDEBAR_ID);
    };
    app.commands.addCommand(CommandIDs.version, {
      label: trans.__('Version of the Kubeflow Pipelines Extension'),
      execute: () => VERSION
    });
    app.commands.addCommand(CommandIDs.show, {
      label: trans.__('Show Kubeflow Pipelines'),
      icon: pipelineIcon,
      execute: show
    });
    app.commands.addCommand(CommandIDs.runLocally, {
      label: () => trans.__('Run Pipeline Locally'),
      caption: () => panel.obstacle('local'),
      isEnabled: () => panel.obstacle('local') === '',
      execute: async () => {
        show();
        await panel.run('local');
      }
    });
    app.commands.addCommand(CommandIDs.runOnCluster, {
      label: trans.__('Run Pipeline on Cluster'),
      caption: () => panel.obstacle('cluster'),
      isEnabled: () => panel.obstacle('cluster') === '',
      execute: async () => {
        show();
        await panel.run('cluster');
      }
    });
    app.commands.addCommand(CommandIDs.cancel, {
      label: trans.__('Cancel the Newest Pipeline Run'),
      execute: () => panel.cancelNewest()
    });
    const category = trans.__('Kubeflow Pipelines');
    for (const command of [CommandIDs.show, CommandIDs.runLocally, CommandIDs.runOnCluster, CommandIDs.cancel]) {
      palette?.addItem({ command, category });
    }
  }
};

const findings: JupyterFrontEndPlugin<Marks> = {
  id: 'kfp-jupyter:findings',
  description: 'Draws what checks of components have found into the cells, and lists it in outputs.',
  autoStart: true,
  requires: [IEditorExtensionRegistry, INotebookTracker, IRenderMimeRegistry],
  optional: [ITranslator],
  provides: IMarks,
  activate: (
    _: JupyterFrontEnd,
    editors: IEditorExtensionRegistry,
    tracker: INotebookTracker,
    registry: IRenderMimeRegistry,
    translator: ITranslator | null
  ) => {
    const trans = translation(translator);
    const marks = new Marks();
    editors.addExtension({
      name: 'kfp-jupyter:findings',
      factory: ({ model }) => EditorExtensionRegistry.createImmutableExtension(findingsExtension(model, marks, trans))
    });
    registry.addFactory(findingsFactory(marks, trans), RANK);
    tracker.widgetAdded.connect((_sender, panel) => new Gatherer(panel, marks));
    tracker.forEach(panel => new Gatherer(panel, marks));
    return marks;
  }
};

const findingCommands: JupyterFrontEndPlugin<void> = {
  id: 'kfp-jupyter:finding-commands',
  description: 'Goes from one finding to the next, by keyboard.',
  autoStart: true,
  requires: [IMarks, INotebookTracker],
  optional: [ITranslator, ICommandPalette],
  activate: (
    app: JupyterFrontEnd,
    marks: Marks,
    tracker: INotebookTracker,
    translator: ITranslator | null,
    palette: ICommandPalette | null
  ) => {
    const trans = translation(translator);
    const add = (command: string, label: string, keys: string, forward: boolean): void => {
      app.commands.addCommand(command, {
        label,
        isEnabled: () => tracker.currentWidget !== null,
        execute: () => tracker.currentWidget !== null && new Notebook(tracker.currentWidget, trans).step(marks, forward)
      });
      app.commands.addKeyBinding({ command, keys: [keys], selector: '.jp-Notebook' });
      palette?.addItem({ command, category: trans.__('Kubeflow Pipelines') });
    };
    add(CommandIDs.nextFinding, trans.__('Go to the Next Finding'), 'F8', true);
    add(CommandIDs.previousFinding, trans.__('Go to the Previous Finding'), 'Shift F8', false);
  }
};

function translation(translator: ITranslator | null): Translation {
  return translator === null ? ENGLISH : (ownWords(translator.languageCode) ?? translator.load('kfp_jupyter'));
}

export default [kernels, renderer, keeper, sidebar, commands, findings, findingCommands];
