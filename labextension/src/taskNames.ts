/**
 * What people read for the tasks of a run: the label on the graph, and which iteration of a loop it is.
 *
 * A task is known by its path (`for-loop-1[2]/train`), which commands take; people read `train #2 · rate 0.3`. The rules are those of
 * the texts that Python writes (`kfp_jupyter/view/task_names.py`).
 */
import { iterationNames, iterationOf, nodeOf } from './iterations';
import type { FullDocument, Graph } from './protocol';

/** Return the name shown for each node of a graph: its label, or its path if another has that label. */
export function nodeNames(graph: Graph): Map<string, string> {
  const count = new Map<string, number>();
  for (const { label } of graph.nodes) {
    count.set(label, (count.get(label) ?? 0) + 1);
  }
  return new Map(graph.nodes.map(({ id, label }) => [id, count.get(label) === 1 ? label : id]));
}

/** Return the name shown for each task of a run, by its path. */
export function taskNames(document: FullDocument): Map<string, string> {
  const names = nodeNames(document.graph);
  const found = new Map<string, string>();
  const iterations = new Map<string, string[]>();
  for (const path of Object.keys(document.run.tasks)) {
    const node = nodeOf(path);
    const name = names.get(node) ?? node;
    found.set(path, name === node ? path : name);
    if (node !== path && name !== node) {
      const others = iterations.get(node);
      if (others === undefined) {
        iterations.set(node, [path]);
      } else {
        others.push(path);
      }
    }
  }
  for (const [node, paths] of iterations) {
    iterationNames(document.run, paths).forEach((iteration, index) => {
      const path = paths[index];
      if (path !== undefined) {
        found.set(path, `${names.get(node) ?? node} ${iteration}`);
      }
    });
  }
  return found;
}

/** Return what an engine said of the run or one of its tasks, with the tasks' names for their paths. */
export function withNames(document: FullDocument, message: string): string {
  if (message === '') {
    return '';
  }
  const names = nodeNames(document.graph);
  const named = (word: string): string => {
    const path = word.replace(/\.$/, '');
    const node = nodeOf(path);
    const name = names.get(node);
    if (name === undefined || name === node || !(path in document.run.tasks)) {
      return word;
    }
    return (path === node ? name : `${name} #${iterationOf(path)}`) + word.slice(path.length);
  };
  return message
    .replace(/^\S+(?= failed: )/, named)
    .replace(/^(Not run because )(\S+)(?= (?:failed|was skipped)\.$)/, (_, before: string, word: string) => before + named(word))
    .replace(
      /(^Failed: |Also failed: )([^\s,]+(?:, [^\s,]+)*)/,
      (_, before: string, words: string) => before + words.split(', ').map(named).join(', ')
    );
}
