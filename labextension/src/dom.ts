/**
 * Elements in one expression: `html('button', { class: 'x', onclick }, 'Run')`.
 *
 * Text becomes text nodes and never markup, so nothing that a kernel or a saved file says can become an element.
 */

/** What an element may be given: attributes by name, event listeners as `on…` functions; null and false leave it out. */
export type Attributes = Record<string, string | number | boolean | null | undefined | ((event: never) => void)>;

/** What an element may hold. */
export type Child = Node | string | null | undefined | false;

const SVG = 'http://www.w3.org/2000/svg';

/** Return a new HTML element. */
export function html<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  return filled(document.createElement(tag), attributes, children);
}

/** Return a new SVG element. */
export function svg<K extends keyof SVGElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): SVGElementTagNameMap[K] {
  return filled(document.createElementNS(SVG, tag), attributes, children);
}

/** Replace what an element holds. */
export function fill(element: Element, ...children: Child[]): void {
  element.replaceChildren(...present(children));
}

/** Set the text of an element, leaving the document alone if it is the same (screen readers announce every change). */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) {
    element.textContent = text;
  }
}

/** Set an attribute, or remove it for null. */
export function setAttribute(element: Element, name: string, value: string | null): void {
  if (value === null) {
    element.removeAttribute(name);
  } else if (element.getAttribute(name) !== value) {
    element.setAttribute(name, value);
  }
}

let nextId = 0;

/** Return an id that no other element of this page has from us. */
export function uniqueId(word: string): string {
  // The widget's bundle and the extension may be on one page, each with a counter of its own.
  return `kfp-${word}-${Math.random().toString(36).slice(2, 8)}-${nextId++}`;
}

function filled<E extends Element>(element: E, attributes: Attributes, children: Child[]): E {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') {
      element.addEventListener(name.slice(2), value as unknown as EventListener);
    } else if (value === true) {
      element.setAttribute(name, '');
    } else if (value !== null && value !== undefined && value !== false) {
      element.setAttribute(name, String(value));
    }
  }
  element.append(...present(children));
  return element;
}

function present(children: Child[]): (Node | string)[] {
  return children.filter(child => child !== null && child !== undefined && child !== false);
}
