/**
 * Findings drawn in a cell's editor: an underline, what it means under the mouse or at a command, and words for a screen reader.
 *
 * The findings of a text live in a field of the editor's state. They move with their lines while the user edits; a finding whose line
 * was changed is out of sight, since nobody knows whether it still holds, and comes back if the line does. New findings replace all.
 */
import { type EditorState, type Extension, StateEffect, StateField, type Text } from '@codemirror/state';
import { Decoration, type DecorationSet, EditorView, type Tooltip, hoverTooltip, showTooltip } from '@codemirror/view';

import { html } from './dom';
import { type Finding, type Stretch, countOf, lineOf, stretchIn } from './findings';
import { findingBody } from './findingsView';
import { VIEW_CLASS } from './look';
import type { Translation } from './translation';

/** A finding in a text. */
interface Held {
  finding: Finding;
  /** A position in its line; null if the text has no such line. */
  at: number | null;
  /** The text of the line while the finding holds. */
  line: string;
  /** True if that text told its line from all others; only then is a lost line looked for. */
  unique: boolean;
}

interface Marks {
  held: readonly Held[];
  drawn: DecorationSet;
}

/** Give an editor its findings. */
export const setFindings = StateEffect.define<readonly Finding[]>();

/** Open the tooltip at a position; null closes it. */
const openAt = StateEffect.define<number | null>();

const field = StateField.define<Marks>({
  create: () => ({ held: [], drawn: Decoration.none }),
  update: (marks, transaction) => {
    for (const effect of transaction.effects) {
      if (effect.is(setFindings)) {
        return marksOf(effect.value, transaction.state.doc);
      }
    }
    if (!transaction.docChanged || marks.held.length === 0) {
      return marks;
    }
    const { doc } = transaction.state;
    const held = marks.held.map(each => {
      const at = each.at === null ? null : transaction.changes.mapPos(each.at, 1);
      return followed({ ...each, at }, doc);
    });
    return { held, drawn: drawn(held, doc) };
  },
  provide: self => EditorView.decorations.from(self, marks => marks.drawn)
});

/**
 * Return the extension of one editor.
 *
 * @param findings - What it shows at first.
 */
export function squiggles(findings: readonly Finding[], trans: Translation): Extension {
  const opened = StateField.define<Tooltip | null>({
    create: () => null,
    update: (open, transaction) => {
      const effect = transaction.effects.find(each => each.is(openAt));
      if (effect !== undefined) {
        return effect.value === null ? null : tooltip(transaction.state, effect.value, trans);
      }
      return transaction.docChanged || transaction.selection !== undefined ? null : open;
    },
    provide: self => showTooltip.from(self)
  });
  return [
    field.init(state => marksOf(findings, state.doc)),
    opened,
    hoverTooltip((view, position) => {
      const found = tooltip(view.state, position, trans);
      if (found !== null && view.state.field(opened, false)) {
        view.dispatch({ effects: openAt.of(null) });
      }
      return found;
    }),
    EditorView.domEventHandlers({
      blur: (_, view) => {
        if (view.state.field(opened, false)) {
          view.dispatch({ effects: openAt.of(null) });
        }
      }
    })
  ];
}

/** Return where the findings of an editor are now, in the order of the text. */
export function stretchesOf(state: EditorState): Stretch[] {
  const { held } = state.field(field, false) ?? { held: [] };
  return held.flatMap(each => stretch(each, state.doc) ?? []).sort((a, b) => a.from - b.from || a.to - b.to);
}

/** Put the cursor at a finding, open what it means, and read it out. */
export function showStretch(view: EditorView, { finding, from, to }: Stretch, trans: Translation): void {
  const { number } = view.state.doc.lineAt(from);
  const severity = finding.severity === 'error' ? trans.__('Error') : trans.__('Warning');
  const words = `${trans.__('Line %1', number)}. ${severity}: ${finding.what} ${finding.remedy}`;
  view.dispatch({
    selection: { anchor: from },
    effects: [openAt.of(from), EditorView.announce.of(words), EditorView.scrollIntoView(from === to ? from : to)]
  });
  view.focus();
}

function marksOf(findings: readonly Finding[], doc: Text): Marks {
  const held = findings.map(finding => {
    const number = lineOf(finding.where, doc);
    const line = number === 0 ? null : doc.line(number);
    const text = finding.where.text ?? line?.text ?? '';
    return { finding, at: line?.from ?? null, line: text, unique: countOf({ ...finding.where, text }, doc) <= 1 };
  });
  return { held, drawn: drawn(held, doc) };
}

/** Return a finding after an edit: where it has moved to, or where its line stands again. */
function followed(held: Held, doc: Text): Held {
  if (stretch(held, doc) !== null || !held.unique) {
    return held;
  }
  const number = lineOf({ ...held.finding.where, text: held.line }, doc);
  return number === 0 ? held : { ...held, at: doc.line(number).from };
}

function stretch({ finding, at, line: text }: Held, doc: Text): Stretch | null {
  if (at === null) {
    return null;
  }
  const line = doc.lineAt(at);
  if (line.text !== text) {
    return null;
  }
  const [from, to] = stretchIn(finding.where, line.text);
  return { finding, from: line.from + from, to: line.from + to };
}

function drawn(held: readonly Held[], doc: Text): DecorationSet {
  const ranges = held.flatMap(each => {
    const found = stretch(each, doc);
    if (found === null || found.from === found.to) {
      return [];
    }
    const { severity, what } = each.finding;
    const attributes = { 'aria-description': what };
    return [Decoration.mark({ class: `kfp-squiggle kfp-mod-${severity}`, attributes }).range(found.from, found.to)];
  });
  return Decoration.set(ranges, true);
}

function tooltip(state: EditorState, position: number, trans: Translation): Tooltip | null {
  const here = stretchesOf(state).filter(({ from, to }) => from <= position && position <= to);
  if (here.length === 0) {
    return null;
  }
  return {
    pos: Math.min(...here.map(({ from }) => from)),
    end: Math.max(...here.map(({ to }) => to)),
    above: false,
    create: () => {
      const items = here.map(({ finding }) => html('li', {}, ...findingBody(finding, trans)));
      return { dom: html('div', { class: `${VIEW_CLASS} kfp-tip` }, html('ul', { class: 'kfp-findings' }, ...items)) };
    }
  };
}
