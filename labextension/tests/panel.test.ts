import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { Panel } from '../src/panel';
import type { Pipeline, TargetChoice, WorkbenchMessage } from '../src/protocol';
import { CommandError, type Store } from '../src/store';
import { ENGLISH } from '../src/translation';
import { runDocument } from './documents';
import { type FakeTransport, connectedStore, settled, workbench } from './fakes';

let panel: Panel;
let store: Store;
let kernel: FakeTransport;
let opened: string[] = [];
let load: () => Promise<void>;
let open: (run: string) => Promise<void>;

const LOCAL: TargetChoice = { id: 'local', label: 'This machine', kind: 'local' };
const LAB: TargetChoice = { id: 'argo:lab', label: 'lab', kind: 'argo' };
const PROD: TargetChoice = { id: 'argo:prod', label: 'prod', kind: 'argo' };

function pipeline(name: string, inputs: Pipeline['inputs'] = []): Pipeline {
  return { name, display_name: name.toUpperCase(), description: `About ${name}.`, inputs };
}

function say(more: Partial<WorkbenchMessage> = {}): void {
  kernel.say({ ...workbench(runDocument('running'), runDocument('failed')), pipelines: [pipeline('one')], ...more });
}

beforeEach(() => {
  localStorage.clear();
  opened = [];
  load = () => Promise.resolve();
  ({ store, kernel } = connectedStore());
  open = run => {
    opened.push(run);
    return Promise.resolve();
  };
  panel = new Panel(ENGLISH, { load: () => load(), open: (_, run) => open(run) });
  document.body.replaceChildren(panel.node);
  panel.show('note.ipynb', store);
});

afterEach(() => {
  panel.dispose();
});

function button(name: string): HTMLButtonElement {
  const found = [...panel.node.querySelectorAll('button')].find(
    each => (each.getAttribute('aria-label') ?? each.textContent) === name
  );
  if (found === undefined) {
    throw new Error(`no button ${name}`);
  }
  return found;
}

function pick(target: string): void {
  const select = panel.node.querySelector('select');
  if (select !== null) {
    select.value = target;
    select.dispatchEvent(new Event('change'));
  }
}

describe('the connection', () => {
  test('without a notebook it says what it is for', () => {
    panel.show(null, null);
    expect(panel.node.textContent).toContain('Open a notebook');
    expect(panel.node.querySelector<HTMLElement>('.kfp-panel-section')?.closest('[hidden]')).not.toBeNull();
  });

  test('a kernel without kfp_jupyter is offered to load it, and a failure is told', async () => {
    kernel.become('not-loaded');
    load = () => Promise.reject(new Error('kfp_jupyter is not installed where this kernel runs.'));
    button('Load kfp_jupyter').click();
    await settled();
    expect(panel.node.querySelector('.kfp-panel-status [role=alert]')?.textContent).toContain('not installed');
    expect(button('Load kfp_jupyter').disabled).toBe(false);
  });

  test('a kernel that goes away takes the buttons with it', () => {
    say();
    expect(panel.obstacle('local')).toBe('');
    kernel.become('disconnected');
    expect(panel.obstacle('local')).toContain('not connected');
    expect(panel.node.textContent).toContain('note.ipynb has no running kernel');
  });
});

describe('pipelines', () => {
  test('a notebook without any says how to write one', () => {
    say({ pipelines: [] });
    expect(panel.node.textContent).toContain('%%pipeline');
    expect(panel.obstacle('local')).toBe('The notebook has no pipelines.');
  });

  test('one of several is chosen by click or arrow key, and stays chosen', () => {
    say({ pipelines: [pipeline('one'), pipeline('two')] });
    expect(panel.pipeline?.name).toBe('one');
    button('TWO').click();
    expect(panel.pipeline?.name).toBe('two');
    expect(panel.node.textContent).toContain('About two.');
    say({ pipelines: [pipeline('zero'), pipeline('one'), pipeline('two')] });
    expect(panel.pipeline?.name).toBe('two');
    button('TWO').focus();
    button('TWO').dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowDown', bubbles: true }));
    expect(panel.pipeline?.name).toBe('zero');
    expect(document.activeElement).toBe(button('ZERO'));
  });
});

describe('running', () => {
  const rate = { name: 'rate', type: 'float', optional: true, default: 0.1, description: '' };

  test('locally, with the arguments of the form', async () => {
    say({ pipelines: [pipeline('one', [rate])], targets: [LOCAL, LAB], target: 'argo:lab' });
    const field = panel.node.querySelector<HTMLInputElement>('input[type=number]');
    if (field !== null) {
      field.value = '0.5';
    }
    button('Run locally').click();
    expect(kernel.sent.at(-1)).toMatchObject({
      method: 'run',
      params: { pipeline: 'one', target: 'local', arguments: { rate: 0.5 } }
    });
    expect(button('Run locally').disabled).toBe(true);
    kernel.answer('run', { result: { run: 'r1' } });
    await settled();
    expect(button('Run locally').disabled).toBe(false);
  });

  test('is one run though the kernel tells of it before it answers, and another notebook’s panel knows nothing of it', async () => {
    say();
    button('Run locally').click();
    say({ runs: [] });
    expect(button('Run locally').disabled).toBe(true);
    await panel.run('local');
    expect(kernel.sent.map(request => request.method)).toEqual(['run']);
    const other = connectedStore();
    panel.show('other.ipynb', other.store);
    other.kernel.say({ ...workbench(), pipelines: [pipeline('two')] });
    expect(button('Run locally').disabled).toBe(false);
    kernel.answer('run', { error: { what: 'rate must be a float.', where: '', remedy: '' } });
    await settled();
    expect(panel.node.querySelector<HTMLElement>('.kfp-alert')?.hidden).toBe(true);
  });

  test('a target that the kernel refuses to use does not stay picked', async () => {
    say({ targets: [LOCAL, LAB, PROD] });
    pick('argo:prod');
    kernel.answer('use', { error: { what: 'There is no context prod.', where: '', remedy: '' } });
    await settled();
    expect(panel.node.querySelector('select')?.value).toBe('local');
    expect(button('Run on cluster').disabled).toBe(true);
  });

  test('a wrong argument is told at its field and nothing is sent', () => {
    say({ pipelines: [pipeline('one', [{ ...rate, optional: false, default: null }])] });
    button('Run locally').click();
    expect(kernel.sent).toEqual([]);
    expect(panel.node.textContent).toContain('A value is needed.');
  });

  test('what the kernel refuses is told with its place and remedy, and goes with the next success', async () => {
    say();
    button('Run locally').click();
    kernel.answer('run', { error: { what: 'rate must be a float.', where: 'pipeline one', remedy: 'Give a number.' } });
    await settled();
    const alert = panel.node.querySelector<HTMLElement>('.kfp-alert');
    expect(alert?.hidden).toBe(false);
    expect(alert?.textContent).toBe('rate must be a float.pipeline oneGive a number.');
    button('Run locally').click();
    kernel.answer('run', { result: { run: 'r1' } });
    await settled();
    expect(alert?.hidden).toBe(true);
  });

  test('on a cluster is not possible where none is known, and says why', () => {
    say();
    expect(button('Run on cluster').disabled).toBe(true);
    expect(button('Run on cluster').title).toContain('No cluster is known');
    expect(panel.node.textContent).toContain('No cluster is known');
  });

  test('the only cluster needs no picking', () => {
    say({ targets: [LOCAL, LAB] });
    expect(button('Run on cluster').title).toBe('Run on lab');
    button('Run on cluster').click();
    expect(kernel.sent.at(-1)).toMatchObject({ method: 'run', params: { target: 'argo:lab' } });
  });

  test('of several clusters one has to be picked, lest a run goes where nobody meant it to', () => {
    say({ targets: [LOCAL, LAB, PROD] });
    expect(button('Run on cluster').disabled).toBe(true);
    pick('argo:prod');
    expect(kernel.sent.at(-1)).toMatchObject({ method: 'use', params: { target: 'argo:prod' } });
    expect(button('Run on cluster').disabled).toBe(false);
    button('Run on cluster').click();
    expect(kernel.sent.at(-1)).toMatchObject({ method: 'run', params: { target: 'argo:prod' } });
  });

  test('a target that was chosen in a cell is shown even if it is not in the list', () => {
    say({ targets: [LOCAL, LAB], target: 'argo:lab/team-a' });
    expect(panel.node.querySelector('select')?.value).toBe('argo:lab/team-a');
    button('Run on cluster').click();
    expect(kernel.sent.at(-1)).toMatchObject({ params: { target: 'argo:lab/team-a' } });
  });
});

describe('runs', () => {
  function rows(): HTMLElement[] {
    return [...panel.node.querySelectorAll<HTMLElement>('.kfp-runs li')];
  }

  test('each shows its state, and only one that goes on can be cancelled', () => {
    say();
    expect(rows().map(row => row.dataset.state)).toEqual(['RUNNING', 'FAILED']);
    expect(rows()[1]?.textContent).toContain('failed · 5.0 s');
    const cancels = rows().map(row => row.querySelector<HTMLButtonElement>('.kfp-icon-button')?.hidden);
    expect(cancels).toEqual([false, true]);
    rows()[0]?.querySelector<HTMLButtonElement>('.kfp-icon-button')?.click();
    expect(kernel.sent.at(-1)).toMatchObject({ method: 'cancel', params: { run: 'run-0010' } });
  });

  test('each says which of its arguments are not the defaults', () => {
    const rate = { name: 'rate', type: 'float', optional: true, default: 0.1, description: '' };
    const rows7 = { name: 'rows', type: 'int', optional: true, default: 7, description: '' };
    const first = runDocument('failed');
    first.run.arguments = { rate: 0.1, rows: 7 };
    const second = runDocument('succeeded');
    second.run.arguments = { rate: 0.2, rows: 7 };
    const known = { ...pipeline('one'), name: first.run.pipeline, inputs: [rate, rows7] };
    kernel.say({ ...workbench(first, second), pipelines: [known] });
    expect(rows()[0]?.textContent).not.toContain('rate=');
    expect(rows()[1]?.textContent).toContain('rate=0.2');
    expect(rows()[1]?.textContent).not.toContain('rows=');
  });

  test('a click opens the run', () => {
    say();
    rows()[1]?.querySelector<HTMLButtonElement>('.kfp-run-open')?.click();
    expect(opened).toEqual(['run-0012']);
  });

  test('a run that cannot be opened says why', async () => {
    open = () => Promise.reject(new CommandError({ what: 'There is no run run-0012.', where: '', remedy: '' }));
    say();
    rows()[1]?.querySelector<HTMLButtonElement>('.kfp-run-open')?.click();
    await settled();
    expect(panel.node.querySelector('.kfp-alert')?.textContent).toBe('There is no run run-0012.');
  });

  test('each has the name that its pipeline has now, also if that was known later', () => {
    const name = runDocument('failed').run.pipeline;
    say({ pipelines: [] });
    expect(rows()[1]?.querySelector('.kfp-run-name')?.textContent).toBe(name);
    say({ pipelines: [pipeline(name)] });
    expect(rows()[1]?.querySelector('.kfp-run-name')?.textContent).toBe(name.toUpperCase());
  });

  test('rows stay the same elements when runs change, come and go', () => {
    say();
    const [first, second] = rows();
    const ended = runDocument('running');
    ended.run.state = 'SUCCEEDED';
    kernel.say({ ...workbench(runDocument('succeeded'), ended, runDocument('failed')), pipelines: [pipeline('one')] });
    expect(rows()[1]).toBe(first);
    expect(rows()[2]).toBe(second);
    expect(first?.dataset.state).toBe('SUCCEEDED');
    kernel.say({ ...workbench(runDocument('failed')), pipelines: [pipeline('one')] });
    expect(rows()).toEqual([second]);
  });
});

describe('the list of runs', () => {
  const OTHER = '/home/ada/other.ipynb';

  /** Two runs of this notebook's pipeline, and one of another's. */
  function three(): WorkbenchMessage {
    const told = workbench(runDocument('running'), runDocument('failed'), runDocument('succeeded'));
    const [, second, third] = told.runs;
    if (second !== undefined && third !== undefined) {
      second.notebook = OTHER;
      second.pipeline = 'two';
      third.pipeline = 'three';
    }
    return { ...told, pipelines: [pipeline('two')] };
  }

  function listed(): (string | undefined)[] {
    return [...panel.node.querySelectorAll<HTMLElement>('.kfp-runs li')].map(row => row.dataset.run);
  }

  function scope(name: string): HTMLInputElement {
    const found = [...panel.node.querySelectorAll<HTMLInputElement>('.kfp-scope input')].find(
      each => each.parentElement?.textContent === name
    );
    if (found === undefined) {
      throw new Error(`no scope ${name}`);
    }
    return found;
  }

  function pipelines(): HTMLSelectElement {
    const found = panel.node.querySelector<HTMLSelectElement>('.kfp-filter select');
    if (found === null) {
      throw new Error('no choice of pipelines');
    }
    return found;
  }

  test('holds those of this notebook, or of all if that is chosen, where others say whose they are', () => {
    kernel.say(three());
    expect(listed()).toEqual(['run-0010', 'run-0011']);
    expect(scope('This notebook').checked).toBe(true);
    scope('All notebooks').click();
    expect(listed()).toEqual(['run-0010', 'run-0012', 'run-0011']);
    const texts = [...panel.node.querySelectorAll('.kfp-runs li')].map(row => row.textContent);
    expect(texts.map(text => text.includes('.ipynb'))).toEqual([false, true, false]);
    expect(texts[1]).toContain('· other.ipynb');
  });

  test('holds those of one pipeline, under the names that people know', () => {
    kernel.say(three());
    scope('All notebooks').click();
    expect([...pipelines().options].map(option => option.text)).toEqual(['All pipelines', runDocument('running').run.pipeline, 'three', 'TWO']);
    pipelines().value = 'two';
    pipelines().dispatchEvent(new Event('change'));
    expect(listed()).toEqual(['run-0012']);
    // This notebook has no run of it: rather all of its runs than none.
    scope('This notebook').click();
    expect(listed()).toEqual(['run-0010', 'run-0011']);
    expect(pipelines().value).toBe('');
    scope('All notebooks').click();
    expect(listed()).toEqual(['run-0012']);
  });

  test('is as it was chosen after the page was loaded again', () => {
    kernel.say(three());
    scope('All notebooks').click();
    pipelines().value = 'three';
    pipelines().dispatchEvent(new Event('change'));
    panel.dispose();
    panel = new Panel(ENGLISH, { load: () => load(), open: () => Promise.resolve() });
    document.body.replaceChildren(panel.node);
    panel.show('note.ipynb', store);
    expect(scope('All notebooks').checked).toBe(true);
    expect(listed()).toEqual(['run-0011']);
  });

  test('is named for who cannot see it', () => {
    kernel.say(three());
    expect(panel.node.querySelector('[role=radiogroup].kfp-scope')?.getAttribute('aria-label')).toBe('Runs of');
    expect(pipelines().getAttribute('aria-label')).toBe('Runs of the pipeline');
    expect(new Set([...panel.node.querySelectorAll<HTMLInputElement>('.kfp-scope input')].map(each => each.name)).size).toBe(1);
  });

  test('says where the others are if this notebook has none', () => {
    const told = three();
    kernel.say({ ...told, notebook: '/home/ada/new.ipynb' });
    expect(listed()).toEqual([]);
    expect(panel.node.textContent).toContain('No runs of this notebook yet. “All notebooks” lists the others.');
    kernel.say({ ...told, runs: [] });
    expect(panel.node.textContent).toContain('No runs yet.');
    expect(panel.node.querySelector<HTMLElement>('.kfp-filter')?.hidden).toBe(true);
  });

  test('holds all where the kernel does not know its notebook, and where the browser keeps nothing readable', () => {
    localStorage.setItem('kfp-jupyter:listed-runs', '{');
    kernel.say({ ...three(), notebook: '' });
    expect(listed()).toEqual(['run-0010', 'run-0012', 'run-0011']);
    expect(scope('All notebooks').closest('[hidden]')).not.toBeNull();
  });

  test('is what the command to cancel the newest run looks at', async () => {
    const told = three();
    const [mine, others] = told.runs;
    if (mine !== undefined && others !== undefined) {
      others.state = 'RUNNING';
      told.runs = [others, mine];
    }
    kernel.say(told);
    void panel.cancelNewest();
    await settled();
    expect(kernel.sent.at(-1)).toMatchObject({ method: 'cancel', params: { run: mine?.id } });
  });
});

test('another notebook has its own pipelines', () => {
  say();
  const other = connectedStore();
  panel.show('other.ipynb', other.store);
  expect(panel.pipeline).toBeNull();
  other.kernel.say({ ...workbench(), pipelines: [pipeline('three')] });
  expect(panel.pipeline?.name).toBe('three');
  say({ pipelines: [pipeline('late')] });
  expect(panel.pipeline?.name).toBe('three');
});
