/**
 * The tasks of a run as the graph shows them: those of all iterations of a loop as one.
 *
 * The rules are those of the picture that Python draws (`kfp_jupyter/view/iterations.py`).
 */
import { plainName, valueText } from './format';
import { type Run, type State, type TaskRun, isFinished } from './protocol';

/** A task, or several of one node together. */
export interface ShownTask extends TaskRun {
  /** How many of several are in the state: `2 of 5`. */
  tally?: string;
}

/** Of tasks in different states, the state that is told. */
const FIRST_TOLD: readonly State[] = [
  'FAILED',
  'RUNNING',
  'CANCELING',
  'PAUSED',
  'PENDING',
  'CANCELED',
  'SUCCEEDED',
  'SKIPPED'
];

/** Return the id of the node that shows a task: `loop/train` for the iteration `loop[3]/train`. */
export function nodeOf(path: string): string {
  return path.replace(/\[\d+\]/g, '');
}

/** Return what tells iterations apart, `3` or `3.1` in a loop in a loop; empty for a task that is in none. */
export function iterationOf(path: string): string {
  return [...path.matchAll(/\[(\d+)\]/g)].map(([, index]) => index).join('.');
}

/** Return the paths of the tasks that a node stands for, in the run's order. */
export function pathsOf(run: Run, node: string): string[] {
  return node in run.tasks ? [node] : Object.keys(run.tasks).filter(path => nodeOf(path) === node);
}

/** How many iterations are looked at for what tells them apart, and how long a value may be in their names. */
const [LOOKED_AT, LONGEST] = [20, 24];

/** Return what each iteration of a node is called: its number, and the inputs that differ: `#2 · rate 0.3`. */
export function iterationNames(run: Run, paths: readonly string[]): string[] {
  const texts = paths.map(path => new Map(Object.entries(run.tasks[path]?.inputs ?? {}).map(([name, value]) => [name, valueText(value)])));
  const looked = texts.slice(0, LOOKED_AT);
  const differ = (name: string): boolean => new Set(looked.map(each => each.get(name))).size > 1;
  const telling = [...new Set(looked.flatMap(each => [...each.keys()]))].filter(differ).slice(0, 2);
  return paths.map((path, index) => {
    const told = telling.flatMap(name => {
      const text = texts[index]?.get(name);
      return text === undefined ? [] : [`${plainName(name)} ${text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text}`];
    });
    return [`#${iterationOf(path)}`, ...told].join(' · ');
  });
}

/** Return what each node of the graph shows: its task, or those of all iterations together. */
export function shownTasks(run: Run | null): Map<string, ShownTask> {
  const held = new Map<string, TaskRun[]>();
  for (const [path, task] of Object.entries(run?.tasks ?? {})) {
    const node = nodeOf(path);
    const others = held.get(node);
    if (others === undefined) {
      held.set(node, [task]);
    } else {
      others.push(task);
    }
  }
  // A loop has a task of its own beside those of its iterations, and then that one tells.
  return new Map([...held].map(([node, tasks]) => [node, run?.tasks[node] ?? together(tasks)]));
}

/** Return several tasks as one, with a tally of those in its state; a single one as it is. */
export function together(tasks: readonly TaskRun[]): ShownTask {
  const [first] = tasks;
  if (first === undefined) {
    throw new Error('no tasks to tell of');
  }
  if (tasks.length === 1) {
    return first;
  }
  const state = FIRST_TOLD.find(each => tasks.some(task => task.state === each)) ?? first.state;
  const done = tasks.filter(task => isFinished(task.state)).length;
  const count = isFinished(state) ? tasks.filter(task => task.state === state).length : done;
  const succeeded = tasks.filter(task => task.state === 'SUCCEEDED');
  const started = tasks.flatMap(task => task.started_at ?? []);
  const finished = tasks.flatMap(task => task.finished_at ?? []);
  return {
    ...first,
    state,
    reason: '',
    started_at: started.length > 0 ? Math.min(...started) : null,
    finished_at: done === tasks.length && finished.length > 0 ? Math.max(...finished) : null,
    cached_from: succeeded.every(task => task.cached_from !== '') ? first.cached_from : '',
    tally: `${count} of ${tasks.length}`
  };
}
