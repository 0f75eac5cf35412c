/**
 * The JupyterLab side of kfp_jupyter: a list of small plugins, each with an id and a description.
 */
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ITranslator } from '@jupyterlab/translation';

/** The command that says which version of the extension is active. */
export const VERSION_COMMAND = 'kfp-jupyter:version';

const commands: JupyterFrontEndPlugin<void> = {
  id: 'kfp-jupyter:commands',
  description: 'Commands of kfp_jupyter for the palette, menus and keyboard.',
  autoStart: true,
  optional: [ITranslator],
  activate: (app: JupyterFrontEnd, translator: ITranslator | null) => {
    const label = translator?.load('kfp_jupyter').__('Kubeflow Pipelines: Version') ?? 'Kubeflow Pipelines: Version';
    app.commands.addCommand(VERSION_COMMAND, { label, execute: () => '0.1.0' });
  }
};

export default [commands];
