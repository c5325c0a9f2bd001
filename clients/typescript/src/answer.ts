// What an HTTP answer says: the value that was asked for, or a problem.

import type { Call } from "./call.js";
import { ConnectionError, type FieldError, type ProblemError, problem } from "./errors.js";
import { PASSING, type Outcome } from "./retry.js";

/** An answer, read to its end. */
export interface Answer {
  status: number;
  headers: Headers;
  text: string;
}

type Members = Record<string, unknown>;

/** The JSON object in an answer; null if there is none. */
function members(answer: Answer): Members | null {
  try {
    const value: unknown = JSON.parse(answer.text);
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    return isObject ? (value as Members) : null;
  } catch {
    return null;
  }
}

/** The problem's members, if this service answered with one. */
function problemOf(answer: Answer): Members | null {
  const found = members(answer);
  return typeof found?.["code"] === "string" ? found : null;
}

/** What an answer means for another attempt. */
export function outcomeOf(answer: Answer, wall: number): Outcome {
  const { status, headers } = answer;
  const told = status < 400 ? null : problemOf(answer)?.["code"];
  const code = typeof told === "string" ? told : null;
  // A balancer may say for this service that a node is away; what else fails here fails by a problem.
  if (status >= 400 && code === null && !PASSING.has(status)) return { kind: "stranger" };
  return { kind: "answered", status, code, retryAfterMs: retryAfter(headers, wall) };
}

/** The forms of a date in HTTP (RFC 9110 section 5.6.7); only the first is written nowadays. */
const DATES = [
  /^[A-Z][a-z]{2}, (?<day>\d\d) (?<month>[A-Z][a-z]{2}) (?<year>\d{4}) (?<time>\d\d:\d\d:\d\d) GMT$/,
  /^[A-Z][a-z]{5,8}, (?<day>\d\d)-(?<month>[A-Z][a-z]{2})-(?<year>\d\d) (?<time>\d\d:\d\d:\d\d) GMT$/,
  /^[A-Z][a-z]{2} (?<month>[A-Z][a-z]{2}) (?<day>[ \d]\d) (?<time>\d\d:\d\d:\d\d) (?<year>\d{4})$/,
];

/** A date in HTTP, in milliseconds since 1970; null for anything else that a platform takes for a date. */
function dated(text: string, wall: number): number | null {
  const parts = DATES.map((form) => form.exec(text)?.groups).find((groups) => groups !== undefined);
  if (parts === undefined) return null;
  const { day = "", month = "", time = "" } = parts;
  let year = Number(parts["year"]);
  if (parts["year"]?.length === 2) {
    // More than 50 years ahead is the past.
    year += 2000;
    if (year > new Date(wall).getUTCFullYear() + 50) year -= 100;
  }
  const at = Date.parse(`${day.trim().padStart(2, "0")} ${month} ${year} ${time} GMT`);
  return Number.isNaN(at) ? null : at;
}

/** `Retry-After` (RFC 9110 section 10.2.3), seconds or a date, in milliseconds from `wall`. */
function retryAfter(headers: Headers, wall: number): number | null {
  const told = headers.get("retry-after")?.trim();
  if (told === undefined || told === "") return null;
  if (/^\d+$/.test(told)) return Number(told) * 1000;
  const at = dated(told, wall);
  return at === null ? null : Math.max(0, at - wall);
}

/** The error that a failed answer is. */
export function problemFrom(call: Call, answer: Answer, wall: number): ProblemError {
  const found = problemOf(answer);
  const text = (name: string) => (typeof found?.[name] === "string" ? found[name] : null);
  const number = (name: string) => (typeof found?.[name] === "number" ? found[name] : null);
  const waitMs = retryAfter(answer.headers, wall);
  return problem(call.operation, {
    status: answer.status,
    code: text("code") ?? `http_${answer.status}`,
    detail: text("detail") ?? "what answered was not this service",
    requestId: text("requestId") ?? answer.headers.get("x-request-id"),
    retryAfter: number("retryAfterSeconds") ?? (waitMs === null ? null : Math.ceil(waitMs / 1000)),
    attemptsRemaining: number("attemptsRemaining"),
    clockOffsetSeconds: number("clockOffsetSeconds"),
    reason: text("reason"),
    errors: fieldErrors(found?.["errors"]),
  });
}

function fieldErrors(value: unknown): FieldError[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((each: unknown) => {
    const { pointer, detail } = (each ?? {}) as Partial<FieldError>;
    return typeof pointer === "string" && typeof detail === "string" ? [{ pointer, detail }] : [];
  });
}

/**
 * What a successful answer holds.
 *
 * @throws ConnectionError if this service would not answer so
 */
export function valueOf(call: Call, answer: Answer): unknown {
  if (answer.status < 200 || answer.status >= 300) {
    throw stranger(call, answer, "it redirects; the key goes to configured addresses alone");
  }
  switch (call.answer ?? "json") {
    case "nothing":
      // There is no body, or JSON that a newer service tells.
      if (answer.text.trim() !== "" && members(answer) === null) {
        throw stranger(call, answer, "its body is no JSON object");
      }
      return undefined;
    case "text":
      return answer.text;
    case "page":
    case "json": {
      const value = members(answer);
      if (value === null) throw stranger(call, answer, "its body is no JSON object");
      if (call.answer === "page" && !Array.isArray(value["data"])) {
        throw stranger(call, answer, "it gives no rows");
      }
      return value;
    }
  }
}

/** The error of an answer that this service would not give. */
export function stranger(call: Call, answer: { status: number }, why: string): ConnectionError {
  return new ConnectionError(
    `${call.operation}: ${answer.status}: what answered was not this service: ${why}`,
  );
}
