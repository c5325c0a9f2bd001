// Everything that a call can fail with. No message holds a key, a code, a secret or a token.

/** What every error of this package is. */
export class CountersignError extends Error {
  /** The name of the class, to recognise an error where classes do not help. */
  override name = "CountersignError";
}

/** No node could be reached, or what answered was not this service. */
export class ConnectionError extends CountersignError {
  override name = "ConnectionError";
}

/** The deadline of a call passed. What was asked may still have taken effect. */
export class TimeoutError extends CountersignError {
  override name = "TimeoutError";
}

/** What is wrong with one value of a request. */
export interface FieldError {
  /** A JSON pointer into the body, or the name of a parameter. */
  pointer: string;
  /** What is wrong, for people. */
  detail: string;
}

/** What a service's answer told of a failure. */
export interface ProblemDetails {
  /** The HTTP status. */
  status: number;
  /** What went wrong, by a stable name. */
  code: string;
  /** What went wrong, for people. */
  detail: string;
  /** The request's id. */
  requestId: string | null;
  /** For how many seconds to wait. */
  retryAfter: number | null;
  /** How many wrong codes are left. */
  attemptsRemaining: number | null;
  /** How far the clock of the person's device is ahead. */
  clockOffsetSeconds: number | null;
  /** What was wrong with an authenticator's answer. */
  reason: string | null;
  /** What is wrong with which field. */
  errors: FieldError[];
}

/** The service refused, and said why (RFC 9457). Branch on `code`, or on the class. */
export class ProblemError extends CountersignError {
  override name = "ProblemError";
  /** The HTTP status. */
  readonly status: number;
  /** What went wrong, as in the service's `/problems`; `http_502` and the like where a proxy answered in its place. */
  readonly code: string;
  /** What went wrong, for people. */
  readonly detail: string;
  /** The request's id, to find it in the service's log. */
  readonly requestId: string | null;
  /** For how many seconds to wait before another try, if that helps. */
  readonly retryAfter: number | null;
  /** How many wrong codes are left before all are refused, where a code was wrong. */
  readonly attemptsRemaining: number | null;
  /** How far the clock of the person's device is ahead, behind if negative, on `authenticator_clock_off`. */
  readonly clockOffsetSeconds: number | null;
  /** What was wrong with an authenticator's answer, by a stable name, on `invalid_assertion`. */
  readonly reason: string | null;
  /** What is wrong with which field, where values were refused. */
  readonly errors: readonly FieldError[];

  constructor(operation: string, problem: ProblemDetails) {
    const { status, code, detail, requestId } = problem;
    const fields = problem.errors.map(({ pointer, detail }) => ` ${pointer} ${detail};`).join("");
    const request = requestId === null ? "" : ` (request ${requestId})`;
    super(`${operation}: ${status} ${code}: ${detail}${fields.replace(/;$/, "")}${request}`);
    this.status = status;
    this.code = code;
    this.detail = detail;
    this.requestId = requestId;
    this.retryAfter = problem.retryAfter;
    this.attemptsRemaining = problem.attemptsRemaining;
    this.clockOffsetSeconds = problem.clockOffsetSeconds;
    this.reason = problem.reason;
    this.errors = problem.errors;
  }
}

/** 400, 405, 413, 415, 422: the request cannot be taken as it is; `errors` tells the fields. */
export class InvalidRequestError extends ProblemError {
  override name = "InvalidRequestError";
}

/** 401: no API key, or one that is unknown, expired or revoked. */
export class AuthenticationError extends ProblemError {
  override name = "AuthenticationError";
}

/** 403: the key lacks a scope, or the policy forbids it. */
export class PermissionDeniedError extends ProblemError {
  override name = "PermissionDeniedError";
}

/** 404: there is no such user, factor, challenge or other thing. */
export class NotFoundError extends ProblemError {
  override name = "NotFoundError";
}

/** 409: it does not fit what is there. */
export class ConflictError extends ProblemError {
  override name = "ConflictError";
}

/** 410: the challenge, the enrollment or the code has ended. */
export class ExpiredError extends ProblemError {
  override name = "ExpiredError";
}

/**
 * 422 `invalid_code`, `code_already_used`, `invalid_assertion`: the proof was wrong. At an enrollment also
 * `authenticator_clock_off` and `authenticator_settings_ignored`: the code shows what is wrong with the app.
 */
export class InvalidCodeError extends ProblemError {
  override name = "InvalidCodeError";
}

/** 429: too many wrong codes, messages or requests; `retryAfter` tells for how long. */
export class RateLimitError extends ProblemError {
  override name = "RateLimitError";
}

/** 5xx: the service failed. */
export class ServerError extends ProblemError {
  override name = "ServerError";
}

/** 503: the service cannot decide now, or cannot send messages. */
export class UnavailableError extends ProblemError {
  override name = "UnavailableError";
}

/** Why a token is not to be believed. */
export type TokenErrorReason =
  | "malformed"
  | "algorithm"
  | "unknown_key"
  | "signature"
  | "expired"
  | "not_yet_valid"
  | "issuer"
  | "audience"
  | "tenant"
  | "acr"
  | "too_old"
  | "keys_unavailable";

/** An access token is not to be believed. */
export class TokenError extends CountersignError {
  override name = "TokenError";
  /** Why not. */
  readonly reason: TokenErrorReason;

  constructor(reason: TokenErrorReason, message: string, options?: ErrorOptions) {
    super(`the token is not to be believed: ${message}`, options);
    this.reason = reason;
  }
}

/** Why a webhook is not to be believed. */
export type WebhookErrorReason = "missing_header" | "malformed" | "timestamp" | "signature";

/** A webhook's signature does not prove that the service sent it, or sent it now. */
export class WebhookSignatureError extends CountersignError {
  override name = "WebhookSignatureError";
  /** Why not. */
  readonly reason: WebhookErrorReason;

  constructor(reason: WebhookErrorReason, message: string) {
    super(`the webhook is not to be believed: ${message}`);
    this.reason = reason;
  }
}

const WRONG_PROOF = new Set([
  "invalid_code",
  "code_already_used",
  "invalid_assertion",
  "authenticator_clock_off",
  "authenticator_settings_ignored",
]);

/** The error of a failed operation, of the class that fits. */
export function problem(operation: string, details: ProblemDetails): ProblemError {
  const { status, code } = details;
  const kind = (() => {
    switch (status) {
      case 401:
        return AuthenticationError;
      case 403:
        return PermissionDeniedError;
      case 404:
        return NotFoundError;
      case 409:
        return ConflictError;
      case 410:
        return ExpiredError;
      case 422:
        return WRONG_PROOF.has(code) ? InvalidCodeError : InvalidRequestError;
      case 429:
        return RateLimitError;
      case 503:
        return UnavailableError;
      default:
        return status >= 500 ? ServerError : InvalidRequestError;
    }
  })();
  return new kind(operation, details);
}
