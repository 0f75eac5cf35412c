/**
 * What a view of a run can do to the notebook it belongs to. JupyterLab's notebook does it (`notebook.ts`); a widget has none.
 */
export interface NotebookActions {
  /** Return what goes to a line of the cell that ran under a name (`Cell In[3]`), or null if it is gone or ran again. */
  goTo(cell: string, line: number): (() => void) | null;
  /** Bring code into a new cell. */
  insert(code: string): void;
}
