/**
 * The look of graph and charts, from the file that Python draws the static picture with.
 *
 * Colours of states and chart series depend on the theme, which in JupyterLab is a matter of the page and elsewhere of the
 * system; so they are written once as custom properties (`--kfp-state-running`, `--kfp-series-0`), light and dark, and
 * elements refer to those.
 */
import look from '../../kfp_jupyter/view/look.json';
import { svg } from './dom';
import type { State } from './protocol';

/** What a state, or the absence of one, looks like. */
export interface StateLook {
  text: string;
  mark: string;
  light: string;
  dark: string;
  /** True if its icon turns. */
  spin: boolean;
  /** SVG path data in a square of 16; `cut` is drawn in the surface's colour over `fill`. */
  icon: { fill: string; line: string; cut: string };
}

/** The states of the model and the two that a picture tells apart beside them. */
export type LookName = State | 'NONE' | 'CACHED';

/** What `look.json` says, as far as this side reads it. Lengths are CSS pixels. */
export interface LookFile {
  font: {
    label: { size: number };
    detail: { size: number };
    edge: { size: number; max_width: number };
    /** Widths of characters in thousandths of the font size: groups of characters, and the rest. */
    widths: { per_1000_em: (string | number)[][]; other: number; wide: number; wide_from: number };
  };
  card: {
    height: number;
    radius: number;
    padding_right: number;
    stripe_path: string;
    icon_x: number;
    icon_y: number;
    icon_size: number;
    text_x: number;
    label_y: number;
    detail_y: number;
    label_alone_y: number;
    frame_dash: string;
  };
  edge: {
    width: number;
    arrow_path: string;
    order_dash: string;
    chip_height: number;
    chip_radius: number;
    chip_padding: number;
  };
  icon: { line_width: number; cut_width: number };
  themes: Record<'light' | 'dark', Record<string, string>>;
  states: Record<LookName, StateLook>;
  series: { light: string[]; dark: string[]; dashes: string[] };
}

/** The look. */
export const LOOK = look as LookFile;

/** The class of the element that a view lives in; the custom properties hang on it. */
export const VIEW_CLASS = 'kfp-jupyter';

/** Return the name under which a state's look is found: a cache hit has one of its own. */
export function lookName(state: State | null, cached: boolean): LookName {
  return state === null ? 'NONE' : cached && state === 'SUCCEEDED' ? 'CACHED' : state;
}

/** Return the custom property that holds a state's colour. */
export function stateColour(name: LookName): string {
  return `var(--kfp-state-${name.toLowerCase()})`;
}

/** Return the custom property that holds the colour of the n-th series of a chart. */
export function seriesColour(index: number): string {
  return `var(--kfp-series-${index % LOOK.series.light.length})`;
}

/** Return the dash pattern that tells the n-th series from others for those who see no colours; may be empty. */
export function seriesDash(index: number): string {
  return LOOK.series.dashes[index % LOOK.series.dashes.length] ?? '';
}

/** Return the icon of a state, as a group in a square of 16 units. */
export function stateIcon(name: LookName): SVGGElement {
  const { icon, spin } = LOOK.states[name];
  const group = svg('g', { class: spin ? 'kfp-icon kfp-icon-spin' : 'kfp-icon', 'aria-hidden': 'true' });
  group.style.color = stateColour(name);
  // A bare square gives the turning icon a centre that does not depend on what is drawn.
  group.append(svg('path', { d: 'M0 0h16v16h-16z', fill: 'none' }));
  if (icon.fill !== '') {
    group.append(svg('path', { d: icon.fill, fill: 'currentColor' }));
  }
  const stroke = { fill: 'none', 'stroke-linecap': 'round', 'stroke-linejoin': 'round' };
  if (icon.line !== '') {
    group.append(svg('path', { d: icon.line, ...stroke, stroke: 'currentColor', 'stroke-width': LOOK.icon.line_width }));
  }
  if (icon.cut !== '') {
    group.append(svg('path', { d: icon.cut, ...stroke, class: 'kfp-icon-cut', 'stroke-width': LOOK.icon.cut_width }));
  }
  return group;
}

/** Return the icon of a state as a picture of its own. */
export function stateImage(name: LookName, size: number): SVGSVGElement {
  return svg('svg', { width: size, height: size, viewBox: '0 0 16 16', class: 'kfp-image' }, stateIcon(name));
}

/**
 * Return the style rules that define the custom properties.
 *
 * JupyterLab says its theme on the body, VS Code, Colab and marimo with a class or attribute; elsewhere the system's
 * preference counts. In a shadow tree the page is out of reach of ordinary selectors, so its words are asked for with
 * `:host-context`, each in a rule of its own, since a browser that does not know it drops the rule.
 */
export function lookRules(inShadow: boolean): string {
  const light = properties('light');
  const dark = properties('dark');
  const system = inShadow ? '' : 'body:not([data-jp-theme-light]) ';
  const within = (page: string): string => (inShadow ? `:host-context(${page}) ` : `${page} `);
  const said = (pages: string[], rules: string): string[] => pages.map(page => `${within(page)}.${VIEW_CLASS}{${rules}}`);
  return [
    `.${VIEW_CLASS}{${light}}`,
    `@media (prefers-color-scheme: dark){${system}.${VIEW_CLASS}{${dark}}}`,
    ...said(LIGHT_PAGES, light),
    ...said(DARK_PAGES, dark)
  ].join('\n');
}

const LIGHT_PAGES = ["[data-jp-theme-light='true']", '.vscode-light', "html[theme='light']", 'body.light'];
const DARK_PAGES = ["[data-jp-theme-light='false']", '.vscode-dark', "html[theme='dark']", 'body.dark'];

function properties(theme: 'light' | 'dark'): string {
  const states = Object.entries(LOOK.states).map(([name, state]) => `--kfp-state-${name.toLowerCase()}:${state[theme]};`);
  const colours = Object.entries(LOOK.themes[theme]).map(([name, value]) => `--kfp-${name.replace('_', '-')}:${value};`);
  const series = LOOK.series[theme].map((value, index) => `--kfp-series-${index}:${value};`);
  return [...states, ...colours, ...series].join('');
}

/** Make sure that the custom properties are defined where the node is: in its document, or in its shadow root. */
export function defineLook(node: Node): void {
  const root = node.getRootNode();
  const place = root instanceof ShadowRoot ? root : document.head;
  if (place.querySelector('style[data-kfp-look]') === null) {
    const style = document.createElement('style');
    style.dataset.kfpLook = '';
    style.textContent = lookRules(place === root);
    place.append(style);
  }
}

const { widths } = LOOK.font;
const WIDTHS = new Map(
  widths.per_1000_em.flatMap(([group, width]) => Array.from(String(group), character => [character, Number(width)] as const))
);

/** Return about how wide a text of the UI font is, on the generous side, in pixels for a font size in pixels. */
export function textWidth(text: string, size: number): number {
  let sum = 0;
  for (const character of text) {
    const wide = (character.codePointAt(0) ?? 0) >= widths.wide_from;
    sum += wide ? widths.wide : (WIDTHS.get(character) ?? widths.other);
  }
  return (sum * size) / 1000;
}

/** Return the text, cut and ended with an ellipsis if it is wider than `room` pixels at that font size. */
export function fitted(text: string, size: number, room: number): string {
  if (textWidth(text, size) <= room) {
    return text;
  }
  const characters = Array.from(text);
  while (characters.length > 0 && textWidth(`${characters.join('')}…`, size) > room) {
    characters.pop();
  }
  return `${characters.join('').trimEnd()}…`;
}
