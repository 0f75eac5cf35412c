/**
 * The words of the front end in the user's language.
 *
 * Every string that a user reads passes through a {@link Translation}, JupyterLab's own interface cut to what is used.
 * JupyterLab hands in its bundle (so that a language pack can translate kfp_jupyter); the widget, which knows no
 * JupyterLab, takes the English words as they are.
 */

/** The part of JupyterLab's `TranslationBundle` that the views use. */
export interface Translation {
  /** Translate a message; `%1`, `%2` … stand for the arguments. */
  __(message: string, ...values: (string | number)[]): string;
  /** Translate a message that depends on a number, which is `%1`. */
  _n(singular: string, plural: string, count: number, ...values: (string | number)[]): string;
}

function filled(message: string, values: readonly (string | number)[]): string {
  return message.replace(/%(\d)/g, (mark, digit: string) => {
    const value = values[Number(digit) - 1];
    return value === undefined ? mark : String(value);
  });
}

/** The words as they stand in the source. */
export const ENGLISH: Translation = {
  __: (message, ...values) => filled(message, values),
  _n: (singular, plural, count, ...values) => filled(count === 1 ? singular : plural, [count, ...values])
};
