/**
 * Times, numbers and values as text.
 */
import type { Json, Time } from './protocol';
import type { Translation } from './translation';

/** Return the present in seconds since the epoch. */
export function now(): number {
  return Date.now() / 1000;
}

/**
 * Return the seconds from start to end, to the present if it has not ended, null if it has not begun.
 *
 * Never negative: the clocks of the kernel's machine and of this one may differ.
 */
export function elapsed(started: Time, finished: Time, present: number = now()): number | null {
  return started === null ? null : Math.max(0, (finished ?? present) - started);
}

/**
 * Return a duration as it stands on a card: `20 ms`, `0.4 s`, `12 s`, `3 min 05 s`, `1 h 20 min`.
 *
 * The words are those of the picture that Python draws (`kfp_jupyter/view/wording.py`).
 *
 * @param whole - Without tenths, for what still runs: tenths that jump with each tick only disturb.
 */
export function duration(seconds: number, trans: Translation, whole = false): string {
  if (seconds < 0.0995 && !whole) {
    return trans.__('%1 ms', (seconds * 1000).toFixed(0));
  }
  if (seconds < 9.95 && !whole) {
    return trans.__('%1 s', seconds.toFixed(1));
  }
  const rounded = whole ? Math.floor(seconds) : Math.round(seconds);
  if (rounded < 60) {
    return trans.__('%1 s', rounded);
  }
  const minutes = Math.floor(rounded / 60);
  if (minutes < 60) {
    return trans.__('%1 min %2 s', minutes, twoDigits(rounded % 60));
  }
  const all = Math.round(seconds / 60);
  return trans.__('%1 h %2 min', Math.floor(all / 60), twoDigits(all % 60));
}

/** Return a number of bytes for people: `24 MB`, `2.3 GB`. */
export function size(bytes: number, trans: Translation): string {
  return bytes < 999_500_000
    ? trans.__('%1 MB', Math.round(bytes / 1e6))
    : trans.__('%1 GB', (bytes / 1e9).toFixed(1).replace(/\.0$/, ''));
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0');
}

/** Return a duration as it is spoken: `3 seconds`, `3 minutes 20 seconds`. */
export function spokenDuration(seconds: number, trans: Translation): string {
  const whole = Math.round(seconds);
  const parts: string[] = [];
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor((whole % 3600) / 60);
  if (hours > 0) {
    parts.push(trans._n('%1 hour', '%1 hours', hours));
  }
  if (minutes > 0) {
    parts.push(trans._n('%1 minute', '%1 minutes', minutes));
  }
  if (hours === 0 && (minutes === 0 || whole % 60 > 0)) {
    parts.push(trans._n('%1 second', '%1 seconds', whole % 60));
  }
  return parts.join(' ');
}

/** Return how long ago something was: `just now`, `5 min ago`, `3 h ago`, or the date. */
export function ago(time: number, trans: Translation, present: number = now()): string {
  const seconds = present - time;
  if (seconds < 60) {
    return trans.__('just now');
  }
  if (seconds < 3600) {
    return trans.__('%1 min ago', Math.floor(seconds / 60));
  }
  if (seconds < 24 * 3600) {
    return trans.__('%1 h ago', Math.floor(seconds / 3600));
  }
  return new Date(time * 1000).toLocaleDateString();
}

/** Return when something was, as briefly as it is unmistakable: `14:05` today, else with the date. */
export function clockTime(time: number, present: number = now()): string {
  const at = new Date(time * 1000);
  const clock = at.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
  const today = at.toDateString() === new Date(present * 1000).toDateString();
  return today ? clock : `${at.toLocaleDateString()} ${clock}`;
}

/** Return a time in the user's own format. */
export function dateTime(time: number): string {
  return new Date(time * 1000).toLocaleString();
}

/** Return a number with five significant digits, and no more than are there: `0.95614`, `143`, `3.1e-7`. */
export function shortNumber(value: number): string {
  if (!Number.isFinite(value) || (Number.isInteger(value) && Math.abs(value) < 1e9)) {
    return String(value);
  }
  const short = Number(value.toPrecision(5));
  return Math.abs(short) < 1e-4 ? short.toExponential() : String(short);
}

/** Return a JSON value as text: a string bare, anything else as JSON. */
export function valueText(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** KFP's name for what a group takes or gives, as its author knows it: `pipelinechannel--train-Output` is `train`. */
export function plainName(name: string): string {
  return name.startsWith('pipelinechannel--') ? name.slice('pipelinechannel--'.length).replace(/-Output$/, '') : name;
}
