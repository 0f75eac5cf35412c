/**
 * States as words: on a card, in a chip, for a screen reader.
 */
import { duration, elapsed, spokenDuration } from './format';
import type { ShownTask } from './iterations';
import { type LookName, lookName } from './look';
import { type State, type TaskRun, isFinished } from './protocol';
import type { Translation } from './translation';

/** What has a state and the times of its start and end: a run, a task, a summary. */
export type Times = Pick<TaskRun, 'state' | 'started_at' | 'finished_at'>;

/** Return the word for a look. */
export function stateWord(name: LookName, trans: Translation): string {
  switch (name) {
    case 'NONE':
      return trans.__('not run');
    case 'PENDING':
      return trans.__('pending');
    case 'RUNNING':
      return trans.__('running');
    case 'SUCCEEDED':
      return trans.__('succeeded');
    case 'CACHED':
      return trans.__('cached');
    case 'SKIPPED':
      return trans.__('skipped');
    case 'FAILED':
      return trans.__('failed');
    case 'CANCELING':
      return trans.__('canceling');
    case 'CANCELED':
      return trans.__('canceled');
    case 'PAUSED':
      return trans.__('paused');
  }
}

/** Return the look of a task in a run, or of one that has no run yet. */
export function taskLook(task: TaskRun | null): LookName {
  return task === null ? 'NONE' : lookName(task.state, task.cached_from !== '');
}

/** Return how long something ran, or an empty text if it has not begun or nobody knows when it ended. */
export function runningTime(times: Times, trans: Translation, present?: number): string {
  const seconds = elapsed(times.started_at, times.finished_at, present);
  if (seconds === null || (times.finished_at === null && isFinished(times.state))) {
    return '';
  }
  return duration(seconds, trans, times.finished_at === null);
}

/**
 * Return the second line of a task's card, which tells what the icon beside it does not: how long (`1.2 s`,
 * `running · 3 s`, `attempt 2 · 3 s`), why it has not begun (`Unschedulable`), or of how many iterations it speaks
 * (`running · 2 of 5`).
 *
 * The words are those of the picture that Python draws (`kfp_jupyter/view/wording.py`).
 */
export function cardDetail(task: ShownTask | null, component: string, trans: Translation, present?: number): string {
  if (task === null) {
    return component;
  }
  const word = stateWord(taskLook(task), trans);
  if (task.tally !== undefined) {
    return task.state === 'SUCCEEDED' ? task.tally : `${word} · ${task.tally}`;
  }
  if (taskLook(task) === 'CACHED' || task.state === 'SKIPPED') {
    return word;
  }
  if (task.state === 'PENDING' || task.state === 'PAUSED') {
    return task.reason === '' ? word : task.reason;
  }
  const again = task.attempt > 1;
  const parts = task.state === 'SUCCEEDED' || (task.state === 'RUNNING' && again) ? [] : [word];
  if (again) {
    parts.push(trans.__('attempt %1', task.attempt));
  }
  const time = runningTime(task, trans, present);
  return time === '' && parts.length === 0 ? word : [...parts, time].filter(part => part !== '').join(' · ');
}

/** Return a task as a screen reader says it: `train: running, 3 seconds`. */
export function spokenTask(label: string, task: ShownTask | null, trans: Translation, present?: number): string {
  const words = [stateWord(taskLook(task), trans)];
  if (task !== null) {
    if (task.tally !== undefined) {
      words.push(task.tally);
    }
    const seconds = elapsed(task.started_at, task.finished_at, present);
    if (seconds !== null && runningTime(task, trans, present) !== '') {
      words.push(spokenDuration(seconds, trans));
    }
    if (task.reason !== '') {
      words.push(task.reason);
    }
  }
  return `${label}: ${words.join(', ')}`;
}

/** Return one sentence about all tasks: `2 of 5 tasks done. Running: train.` */
export function spokenRun(tasks: readonly (readonly [string, TaskRun])[], trans: Translation): string {
  const named = (state: State): string =>
    tasks
      .filter(([, task]) => task.state === state)
      .map(([label]) => label)
      .join(', ');
  const done = tasks.filter(([, task]) => isFinished(task.state)).length;
  const sentences = [trans.__('%1 of %2 tasks done.', done, tasks.length)];
  const running = named('RUNNING');
  const failed = named('FAILED');
  if (running !== '') {
    sentences.push(trans.__('Running: %1.', running));
  }
  if (failed !== '') {
    sentences.push(trans.__('Failed: %1.', failed));
  }
  return sentences.join(' ');
}
