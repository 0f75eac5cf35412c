/**
 * The buttons that several views share.
 */
import { html, setText, svg } from './dom';
import type { Translation } from './translation';

const COPY = 'M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3';
const CLOSE = 'M4 4l8 8M12 4l-8 8';
const STOP = 'M4 4h8v8h-8z';
const PLAY = 'M5 3.5l7.5 4.5l-7.5 4.5z';
const CLUSTER = 'M8 1.8l5.4 3.1v6.2l-5.4 3.1l-5.4-3.1v-6.2zM2.6 4.9l5.4 3.1l5.4-3.1M8 8v6.2';
const DEBUG = 'M5.2 6.2h5.6v4.4a2.8 2.8 0 0 1-5.6 0zM6 6.2a2 2 0 0 1 4 0M5.2 8.2h-2.7M13.5 8.2h-2.7M5.3 11l-2.3 2M10.7 11l2.3 2M5.4 6.2l-2.2-2.2M10.6 6.2l2.2-2.2';
const RERUN = 'M13 8a5 5 0 1 1-1.6-3.7M13.2 2.2v2.8h-2.8';

/** The icons of buttons, as SVG path data in a square of 16. */
export const ICONS = { copy: COPY, close: CLOSE, stop: STOP, play: PLAY, cluster: CLUSTER, debug: DEBUG, rerun: RERUN } as const;

/** Return an icon that takes the colour of the text around it. */
export function icon(name: keyof typeof ICONS): SVGSVGElement {
  const filled = name === 'stop' || name === 'play';
  const line = { fill: filled ? 'currentColor' : 'none', stroke: 'currentColor', 'stroke-width': 1.3 };
  return svg(
    'svg',
    { viewBox: '0 0 16 16', width: 14, height: 14, class: 'kfp-image', 'aria-hidden': 'true' },
    svg('path', { d: ICONS[name], ...line, 'stroke-linecap': 'round', 'stroke-linejoin': 'round' })
  );
}

/** Return a button that shows only an icon; the label is its name and its tooltip. */
export function iconButton(name: keyof typeof ICONS, label: string, onclick: () => void): HTMLButtonElement {
  const attributes = { type: 'button', class: 'kfp-icon-button', title: label, 'aria-label': label, onclick };
  return html('button', attributes, icon(name));
}

/** Return a button with an icon and a word. */
export function button(name: keyof typeof ICONS | null, label: string, onclick: () => void): HTMLButtonElement {
  const content = [name === null ? null : icon(name), html('span', {}, label)];
  return html('button', { type: 'button', class: 'kfp-button', onclick }, ...content);
}

/** Return a button that copies a text and says so. */
export function copyButton(trans: Translation, text: () => string): HTMLButtonElement {
  const done = html('span', { class: 'kfp-hidden', role: 'status' });
  const copy = iconButton('copy', trans.__('Copy'), () => {
    copyText(text()).then(
      () => {
        setText(done, trans.__('Copied'));
        copy.classList.add('kfp-mod-done');
        setTimeout(() => {
          setText(done, '');
          copy.classList.remove('kfp-mod-done');
        }, 1500);
      },
      (reason: unknown) => {
        console.warn('kfp_jupyter: the text could not be copied', reason);
      }
    );
  });
  copy.append(done);
  copy.classList.add('kfp-copy');
  return copy;
}

async function copyText(text: string): Promise<void> {
  // A page served over plain HTTP from another machine has no clipboard; a selection can still be copied there.
  if ('clipboard' in navigator && window.isSecureContext) {
    await navigator.clipboard.writeText(text);
    return;
  }
  const area = html('textarea', { class: 'kfp-hidden' });
  area.value = text;
  document.body.append(area);
  area.select();
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- the only way without a secure context
  const copied = document.execCommand('copy');
  area.remove();
  if (!copied) {
    throw new Error('the browser refused');
  }
}
