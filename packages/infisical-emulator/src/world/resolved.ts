/**
 * What a world became: what was given or generated.
 *
 * @since 0.1.0
 */
import type * as Redacted from "effect/Redacted"

/**
 * What a world became: everything that was given or generated, by the names in the description.
 *
 * @since 0.1.0
 * @category models
 */
export interface Resolved {
  readonly projects: Readonly<Record<string, ResolvedProject>>
  /** The credentials to hand to a client: v2 as `st.<id>.<secret>.<key>`, v3 as JSON. */
  readonly serviceTokens: Readonly<Record<string, Redacted.Redacted<string>>>
  readonly users: Readonly<Record<string, ResolvedUser>>
  readonly identities: Readonly<Record<string, ResolvedIdentity>>
}

/**
 * @since 0.1.0
 * @category models
 */
export interface ResolvedIdentity {
  readonly id: string
  readonly clientId: string
  readonly clientSecret: Redacted.Redacted<string>
}

/**
 * @since 0.1.0
 * @category models
 */
export interface ResolvedProject {
  readonly id: string
  readonly slug: string
  readonly key: Redacted.Redacted<string>
  readonly environments: ReadonlyArray<string>
}

/**
 * @since 0.1.0
 * @category models
 */
export interface ResolvedUser {
  readonly id: string
  readonly email: string
  readonly jwt: Redacted.Redacted<string>
}
