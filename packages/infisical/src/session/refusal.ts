/**
 * Refused logins, and when a login is offered again. Pure functions.
 *
 * - A credential that the server refused is not offered again until it changes.
 * - A credential that differs each time, such as a JWT that is made for each login, is offered again after a growing
 *   pause.
 * - A login by TLS certificate is offered again after a growing pause, since the certificate is not visible here.
 * - No login of a locked identity is sent until the lockout ends.
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
export const isBlocked = ({ at, count, error, login }: Refusal, now: number): boolean =>
  isPausing(
    at,
    error instanceof AuthenticationError
      ? error.reason === "Locked"
        ? lockout
        : pauseAfter(hasHiddenContent(login) ? count : count - 1)
      : pauseAfter(count),
    now
  )

/** Whether this login is not offered now. */
export const isLoginBlocked = (refusal: Refusal, login: Credential.Login, now: number): boolean =>
  isBlocked(refusal, now) ||
  (refusal.error instanceof AuthenticationError && refusal.error.reason !== "Locked" &&
    !hasHiddenContent(login) && isSameCredential(refusal.login, login))

/**
 * Whether a login that looks the same can be another one: the connection presents the certificate, and may present a new
 * one the next time. For every other login, the first change of the content is offered at once.
 */
const hasHiddenContent = ({ method }: Credential.Login): boolean => method === "tls-cert-auth"

/** Signatures differ from login to login, so the credentials that signed are compared, if they are known. */
const isSameCredential = (one: Credential.Login, other: Credential.Login): boolean =>
  Equal.equals(comparable(one), comparable(other))

const comparable = (login: Credential.Login) => {
  if (!("signedWith" in login) || login.signedWith === undefined) return Data.struct(login)
  const { identityId, method, organizationSlug, signedWith } = login
  return Data.struct({ method, identityId, organizationSlug, signedWith })
}
