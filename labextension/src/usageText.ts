/**
 * What a task used, as words; the same as `usage` in `kfp_jupyter/view/wording.py`.
 */
import { duration, elapsed, size } from './format';
import type { TaskRun } from './protocol';
import type { Translation } from './translation';

/**
 * Return what a task used, or has used by now: `CPU 1.3 s (82 %) · memory 240 MB`; an empty text if nobody knows.
 *
 * The share is that of the time it ran, so that two busy processors make 200 %.
 */
export function usageText(task: TaskRun | null, trans: Translation, present?: number): string {
  const usage = task?.usage ?? null;
  if (task === null || usage === null) {
    return '';
  }
  const cpu = duration(usage.cpu_seconds, trans);
  const ran = elapsed(task.started_at, task.finished_at, present) ?? 0;
  const share = Math.round((100 * usage.cpu_seconds) / ran);
  const most = Math.round(100 * usage.cpu_limit);
  const memory = size(usage.memory_bytes, trans);
  const allowed = size(usage.memory_limit, trans);
  return [
    // Of what took no time a share means nothing.
    ran < 1
      ? trans.__('CPU %1', cpu)
      : most === 0
        ? trans.__('CPU %1 (%2 %)', cpu, share)
        : trans.__('CPU %1 (%2 %, limit %3 %)', cpu, share, most),
    usage.memory_limit === 0
      ? trans.__('memory %1', memory)
      : isOverMemory(task)
        ? trans.__('memory %1, over its limit of %2', memory, allowed)
        : trans.__('memory %1 of %2', memory, allowed)
  ].join(' · ');
}

/** Say whether a task had more memory than was declared; Kubernetes ends one that does. */
export function isOverMemory(task: TaskRun | null): boolean {
  const usage = task?.usage ?? null;
  return usage !== null && usage.memory_limit > 0 && usage.memory_bytes > usage.memory_limit;
}
