/**
 * Findings as a list: under the cell that ran, and in the tooltip of a squiggle.
 */
import { html, svg } from './dom';
import { type Finding, type FindingsData, type Severity, cellNumber } from './findings';
import { VIEW_CLASS, defineLook } from './look';
import type { Translation } from './translation';

/** Where a finding is now, for a reader of the list. */
export interface Spot {
  /** True if it is in the cell under which the list stands. */
  here: boolean;
  /** The line as it is now; 0 if the cell has no such line any more, was run again, or is gone. */
  line: number;
  /** Go there. */
  jump: () => void;
}

/** Finds the place of a finding; null if it is in no cell of this notebook. */
export type Finder = (finding: Finding) => Spot | null;

const CROSS = 'M8 1.5a6.5 6.5 0 1 1 0 13a6.5 6.5 0 0 1 0-13zM5.7 5.7l4.6 4.6M10.3 5.7l-4.6 4.6';
const TRIANGLE = 'M8 2l6.6 11.6h-13.2zM8 6.4v3.6M8 11.9v.1';

/** Return the icon of a severity, with its word for a screen reader. */
export function severityIcon(severity: Severity, trans: Translation): HTMLElement {
  const word = severity === 'error' ? trans.__('Error') : trans.__('Warning');
  const line = { fill: 'none', stroke: 'currentColor', 'stroke-width': 1.5, 'stroke-linecap': 'round', 'stroke-linejoin': 'round' };
  const picture = svg(
    'svg',
    { viewBox: '0 0 16 16', width: 16, height: 16, class: 'kfp-image', 'aria-hidden': 'true' },
    svg('path', { d: severity === 'error' ? CROSS : TRIANGLE, ...line })
  );
  const attributes = { class: `kfp-severity kfp-mod-${severity}`, title: word };
  return html('span', attributes, picture, html('span', { class: 'kfp-hidden' }, `${word}: `));
}

/** Return what a reader needs to know of a finding: how bad, what, what to do; then `more`, such as where. */
export function findingBody(finding: Finding, trans: Translation, ...more: (HTMLElement | null)[]): HTMLElement[] {
  const remedy = finding.remedy === '' ? null : html('p', { class: 'kfp-dim' }, ...prose(finding.remedy));
  return [
    severityIcon(finding.severity, trans),
    html('div', { class: 'kfp-finding-text' }, html('p', {}, ...prose(finding.what)), remedy, ...more)
  ];
}

/** The list of an output. */
export class FindingsView {
  readonly node = html('section', { class: `${VIEW_CLASS} kfp-findings-output` });

  /**
   * @param data - What was found.
   * @param trans - The language of the words around it.
   */
  constructor(
    private readonly data: FindingsData,
    private readonly trans: Translation
  ) {
    this.node.setAttribute('aria-label', trans.__('What checks have found'));
    this.show(() => null);
  }

  /** Define the colours where the list was put. */
  attached(): void {
    defineLook(this.node);
  }

  /** Draw the list with its places as they are now. */
  show(find: Finder): void {
    const items = this.data.findings.map(finding => this.item(finding, find(finding)));
    const list = html('ul', { class: 'kfp-findings' }, ...items);
    // Where the list is drawn anew under a reader's finger, the finger stays.
    const focused = [...this.node.querySelectorAll('button')].indexOf(document.activeElement as HTMLButtonElement);
    const told = this.data.findings.every(each => this.data.told.has(each.severity));
    this.node.replaceChildren(...(items.length > 1 && !told ? [this.heading()] : []), list);
    this.node.classList.toggle('kfp-mod-brief', told);
    if (focused >= 0) {
      [...this.node.querySelectorAll('button')][focused]?.focus();
    }
  }

  private heading(): HTMLElement {
    const { trans } = this;
    const count = (severity: Severity): number => this.data.findings.filter(each => each.severity === severity).length;
    const errors = count('error');
    const warnings = count('warning');
    const words = [
      errors > 0 ? trans._n('%1 error', '%1 errors', errors) : '',
      warnings > 0 ? trans._n('%1 warning', '%1 warnings', warnings) : ''
    ];
    return html('h4', {}, words.filter(word => word !== '').join(', '));
  }

  private item(finding: Finding, spot: Spot | null): HTMLElement {
    const code = html('code', { class: 'kfp-finding-code' }, finding.code);
    const where = html('p', { class: 'kfp-finding-where' }, this.where(finding, spot), code);
    const attributes = { class: spot?.line === 0 ? 'kfp-mod-changed' : null };
    if (!this.data.told.has(finding.severity)) {
      return html('li', attributes, ...findingBody(finding, this.trans, where));
    }
    // The traceback above has said it all; what that text cannot be is a link.
    const brief = html('p', { class: 'kfp-finding-brief' }, this.where(finding, spot), html('span', {}, ...prose(finding.what)));
    return html('li', attributes, severityIcon(finding.severity, this.trans), brief);
  }

  private where({ where }: Finding, spot: Spot | null): HTMLElement {
    const { trans } = this;
    const inCell = cellNumber(where) !== null;
    if (spot === null || spot.line === 0) {
      const place = trans.__('%1, line %2', where.cell, where.line);
      const changed = spot === null || !inCell ? '' : ` · ${trans.__('changed since')}`;
      return html('span', {}, `${place}${changed}`);
    }
    const label = spot.here ? trans.__('Line %1', spot.line) : trans.__('%1, line %2', where.cell, spot.line);
    return html('button', { type: 'button', class: 'kfp-link', onclick: spot.jump, title: trans.__('Go there') }, label);
  }
}

/** Return a sentence with what stands in backquotes as code. */
function prose(text: string): (HTMLElement | string)[] {
  return text.split(/(`[^`]+`)/).map(part =>
    part.length > 2 && part.startsWith('`') && part.endsWith('`') ? html('code', {}, part.slice(1, -1)) : part
  );
}
