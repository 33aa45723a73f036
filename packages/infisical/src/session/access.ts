/** What a session gives, and what can go wrong. `Session` exports these types. */
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"
import type * as InfisicalApi from "../api/InfisicalApi.js"
import type * as Crypto from "../crypto/Crypto.js"
import type { DecryptError, InvalidCredentialError } from "../model/InfisicalError.js"

export interface Access {
  readonly accessToken: Redacted.Redacted<string>
  readonly projectId: string
  /** Encrypts and decrypts with the project key, if the credential has it. */
  readonly cipher: Option.Option<Crypto.Cipher>
}

export type LoginError = InfisicalApi.ReadCallError | DecryptError | InvalidCredentialError

export type Use = <A, E>(request: (access: Access) => Effect.Effect<A, E>) => Effect.Effect<A, E | LoginError>
