/**
 * The form for a pipeline's arguments: a field for each input, by its type.
 *
 * An argument that equals its default, or is left empty where there is one to fall back on, is not sent: the pipeline's own
 * default holds. What is wrong is said at its field, in words, when the user asks to run.
 */
import { html, setAttribute, setText, uniqueId } from './dom';
import { valueText } from './format';
import type { Json, JsonObject, Pipeline, PipelineInput } from './protocol';
import type { Translation } from './translation';

type Control = HTMLInputElement | HTMLTextAreaElement;

/** What a field says: a value, nothing (the default holds), or what is wrong with it. */
type Reading = { value: Json } | 'default' | { wrong: string };

interface Field {
  input: PipelineInput;
  control: Control;
  message: HTMLElement;
}

/** The form. */
export class ParameterForm {
  readonly node = html('div', { class: 'kfp-form' });
  private fields: Field[] = [];
  private key = '';

  constructor(private readonly trans: Translation) {}

  /** Show the fields of a pipeline; what was typed stays as long as the inputs are the same. */
  show(pipeline: Pipeline): void {
    const key = JSON.stringify([pipeline.name, pipeline.inputs]);
    if (key === this.key) {
      return;
    }
    this.key = key;
    this.fields = [];
    const rows = pipeline.inputs.map(input => this.row(input));
    this.node.replaceChildren(...rows);
  }

  /** Return the arguments; null if a field is wrong, which then says so and has the focus. */
  arguments(): JsonObject | null {
    const found: JsonObject = {};
    let first: Control | null = null;
    for (const field of this.fields) {
      const reading = read(field.input, field.control, this.trans);
      const wrong = typeof reading === 'object' && 'wrong' in reading ? reading.wrong : '';
      this.mark(field, wrong);
      if (wrong !== '') {
        first ??= field.control;
      } else if (typeof reading === 'object' && 'value' in reading) {
        found[field.input.name] = reading.value;
      }
    }
    first?.focus();
    return first === null ? found : null;
  }

  private row(input: PipelineInput): HTMLElement {
    const id = uniqueId('field');
    const messageId = `${id}-message`;
    const control = controlFor(input, id, messageId);
    const message = html('p', { class: 'kfp-field-message', id: messageId });
    const field: Field = { input, control, message };
    this.fields.push(field);
    control.addEventListener('input', () => {
      // Only take complaints back while the user types; new ones come when they ask to run.
      if (control.getAttribute('aria-invalid') === 'true') {
        const reading = read(input, control, this.trans);
        this.mark(field, typeof reading === 'object' && 'wrong' in reading ? reading.wrong : '');
      }
    });
    const required = !input.optional && html('span', { class: 'kfp-required', title: this.trans.__('required') }, '*');
    const label = html(
      'label',
      { for: id },
      html('span', {}, input.name),
      required,
      html('span', { class: 'kfp-type' }, input.type)
    );
    const boolean = input.type === 'bool';
    setAttribute(label, 'title', input.description === '' ? null : input.description);
    const parts = boolean ? [html('div', { class: 'kfp-field-line' }, control, label)] : [label, control];
    const description = input.description !== '' && html('p', { class: 'kfp-field-hint' }, input.description);
    return html('div', { class: 'kfp-field' }, ...parts, description, message);
  }

  private mark(field: Field, wrong: string): void {
    setText(field.message, wrong);
    setAttribute(field.control, 'aria-invalid', wrong === '' ? null : 'true');
  }
}

function controlFor(input: PipelineInput, id: string, messageId: string): Control {
  const shared = { id, 'aria-describedby': messageId, 'aria-required': input.optional ? null : 'true', spellcheck: 'false' };
  const { type } = input;
  if (type === 'bool') {
    return html('input', { ...shared, type: 'checkbox', checked: input.default === true });
  }
  if (type === 'list' || type === 'dict') {
    const area = html('textarea', { ...shared, rows: 2, class: 'kfp-code', placeholder: fallback(input) ?? (type === 'list' ? '[]' : '{}') });
    area.value = input.default === null ? '' : JSON.stringify(input.default);
    return area;
  }
  if (type === 'int' || type === 'float') {
    const step = type === 'int' ? '1' : 'any';
    const value = typeof input.default === 'number' ? input.default : null;
    return html('input', { ...shared, type: 'number', step, value, placeholder: fallback(input) });
  }
  if (type !== 'str') {
    return html('input', { ...shared, type: 'text', disabled: true });
  }
  const text = typeof input.default === 'string' ? input.default : '';
  if (text.includes('\n')) {
    const area = html('textarea', { ...shared, rows: 3 });
    area.value = text;
    return area;
  }
  return html('input', { ...shared, type: 'text', value: text });
}

/** Return what an emptied field says: the default, which then holds. */
function fallback(input: PipelineInput): string | null {
  return input.optional && input.default !== null ? valueText(input.default) : null;
}

function read(input: PipelineInput, control: Control, trans: Translation): Reading {
  if (control instanceof HTMLInputElement && control.type === 'checkbox') {
    return unlessDefault(input, control.checked);
  }
  const text = input.type === 'str' ? control.value : control.value.trim();
  if (text === '' && !control.validity.badInput) {
    const clearedText = input.type === 'str' && typeof input.default === 'string' && input.default !== '';
    if (clearedText) {
      return { value: '' };
    }
    return input.optional ? 'default' : { wrong: missing(input, trans) };
  }
  switch (input.type) {
    case 'int':
    case 'float': {
      const number = Number(text);
      if (text === '' || !Number.isFinite(number)) {
        return { wrong: trans.__('This is not a number.') };
      }
      if (input.type === 'int' && !Number.isInteger(number)) {
        return { wrong: trans.__('A whole number is needed.') };
      }
      return unlessDefault(input, number);
    }
    case 'list':
    case 'dict':
      return readJson(input, text, trans);
    default:
      return unlessDefault(input, text);
  }
}

function readJson(input: PipelineInput, text: string, trans: Translation): Reading {
  let value: Json;
  try {
    value = JSON.parse(text) as Json;
  } catch (error) {
    return { wrong: trans.__('This is not JSON: %1', error instanceof Error ? error.message : String(error)) };
  }
  if (input.type === 'list' && !Array.isArray(value)) {
    return { wrong: trans.__('A list is needed, such as [1, 2].') };
  }
  if (input.type === 'dict' && (typeof value !== 'object' || value === null || Array.isArray(value))) {
    return { wrong: trans.__('An object is needed, such as {"name": 1}.') };
  }
  return unlessDefault(input, value);
}

function missing(input: PipelineInput, trans: Translation): string {
  const known = ['str', 'int', 'float', 'bool', 'list', 'dict'].includes(input.type);
  return known
    ? trans.__('A value is needed.')
    : trans.__('An input of type %1 cannot be given here; run the pipeline from a cell.', input.type);
}

function unlessDefault(input: PipelineInput, value: Json): Reading {
  return input.optional && JSON.stringify(value) === JSON.stringify(input.default) ? 'default' : { value };
}
