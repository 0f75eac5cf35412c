/**
 * Parameters and artifacts as tables.
 */
import { html } from './dom';
import { plainName, valueText } from './format';
import type { Artifact, JsonObject } from './protocol';
import type { Translation } from './translation';

/** Return a table of parameters, or a word that there are none. */
export function parameterTable(values: JsonObject, trans: Translation): HTMLElement {
  const rows = Object.entries(values).map(([name, value]) =>
    html('tr', {}, html('th', { scope: 'row' }, plainName(name)), html('td', {}, html('code', {}, valueText(value))))
  );
  if (rows.length === 0) {
    return html('p', { class: 'kfp-dim' }, trans.__('none'));
  }
  return html('table', { class: 'kfp-table kfp-mod-values' }, html('tbody', {}, ...rows));
}

/** Return a list of artifacts with where they are and what is known of them. */
export function artifactList(artifacts: Record<string, Artifact[]>, trans: Translation): HTMLElement {
  const items = Object.entries(artifacts).flatMap(([name, list]) =>
    list.map((artifact, index) => {
      const title = list.length > 1 ? `${name}[${index}]` : name;
      const metadata = Object.keys(artifact.metadata).length > 0;
      return html(
        'li',
        {},
        html('div', {}, html('strong', {}, title), ' ', html('span', { class: 'kfp-tag' }, shortType(artifact.type))),
        artifact.uri !== '' && html('code', { class: 'kfp-uri' }, artifact.uri),
        artifact.path !== '' && artifact.path !== artifact.uri && html('code', { class: 'kfp-uri' }, artifact.path),
        metadata &&
          html(
            'details',
            {},
            html('summary', {}, trans.__('Metadata')),
            html('pre', { class: 'kfp-json' }, JSON.stringify(artifact.metadata, null, 2))
          )
      );
    })
  );
  return items.length === 0
    ? html('p', { class: 'kfp-dim' }, trans.__('none'))
    : html('ul', { class: 'kfp-artifacts' }, ...items);
}

/** `system.Dataset` is what a user calls Dataset. */
function shortType(type: string): string {
  return type.replace(/^system\./, '');
}
