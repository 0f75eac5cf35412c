/** The run documents that Python's tests hold themselves to as well. */
import shared from '../../tests/fixtures/run_documents.json';
import type { FullDocument, RunDocument, TaskRun } from '../src/protocol';

/** The documents by name: `pipeline` (no run), `running`, `succeeded`, `failed`, `canceled`, `open` and `looped`. */
export const documents = shared as Record<string, RunDocument>;

/** Return a copy of a document, for a test to change. */
export function document(name: string): RunDocument {
  const found = documents[name];
  if (found === undefined) {
    throw new Error(`no document ${name}`);
  }
  return structuredClone(found);
}

/** Return a copy of a document with a run. */
export function runDocument(name: string): FullDocument {
  return document(name) as FullDocument;
}

/** Return a task of a run. */
export function taskOf(held: FullDocument, path: string): TaskRun {
  const task = held.run.tasks[path];
  if (task === undefined) {
    throw new Error(`no task ${path}`);
  }
  return task;
}
