/**
 * The words of the front end in the user's language.
 *
 * Every string that a user reads passes through a {@link Translation}, JupyterLab's own interface cut to what is used.
 * The languages that come with kfp_jupyter are catalogues here, so that the widget, which knows no JupyterLab, has them too; for
 * any other language JupyterLab's bundle is asked, which a language pack may fill.
 */
import { KOREAN_WORDS } from './korean';

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

/** Korean. */
export const KOREAN: Translation = {
  __: (message, ...values) => filled(KOREAN_WORDS[message] ?? message, values),
  _n: (_, plural, count, ...values) => filled(KOREAN_WORDS[plural] ?? plural, [count, ...values])
};

/** Return our own words for a language, by its code (`ko`, `ko_KR`, `en-US`), or null if we have none. */
export function ownWords(language: string): Translation | null {
  const code = language.toLowerCase().split(/[-_]/)[0];
  return code === 'ko' ? KOREAN : code === 'en' ? ENGLISH : null;
}
