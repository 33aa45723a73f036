/**
 * What is remembered of a refused login, and when a login is offered again. Pure functions.
 *
 * - A credential that the server refused is not offered again until it changes.
 * - A credential that differs each time, such as a JWT that is made for each login, is offered again after a growing
 *   pause.
 * - A locked identity is left alone until the lockout ends.
 */
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Equal from "effect/Equal"
import type * as Credential from "../config/Credential.js"
import { AuthenticationError, isUnreachable } from "../model/InfisicalError.js"
import type { LoginError } from "./access.js"
import { isPausing, pauseAfter } from "./pause.js"

export interface Refusal {
  readonly login: Credential.Login
  readonly error: LoginError
  readonly at: number
  /** Refusals in a row, up to this one. */
  readonly count: number
}

/** A current server locks an identity for this long after three refused logins within 30 seconds. */
const lockout = Duration.toMillis("5 minutes")

/** Whether an error is the server's answer to this login, so that the same login would fail again. */
export const isRefused = (error: LoginError): boolean => !isUnreachable(error)

/** Whether no login is offered now, whatever its content. */
export const isBlocked = ({ at, count, error }: Refusal, now: number): boolean =>
  isPausing(
    at,
    error instanceof AuthenticationError
      // The first change of the content is offered at once.
      ? error.reason === "Locked" ? lockout : pauseAfter(count - 1)
      : pauseAfter(count),
    now
  )

/** Whether this login is not offered now. */
export const isLoginBlocked = (refusal: Refusal, login: Credential.Login, now: number): boolean =>
  isBlocked(refusal, now) ||
  (refusal.error instanceof AuthenticationError && refusal.error.reason !== "Locked" &&
    isSameCredential(refusal.login, login))

/** Signatures differ from login to login, so the credentials that signed are compared. */
const isSameCredential = (one: Credential.Login, other: Credential.Login): boolean =>
  one.method === "aws-auth" && other.method === "aws-auth" && one.signedWith !== undefined &&
    other.signedWith !== undefined
    ? one.identityId === other.identityId && Equal.equals(one.signedWith, other.signedWith)
    : Equal.equals(Data.struct(one), Data.struct(other))
