/** Whether the server can decrypt what clients encrypted: where it has the project's key, it looks for references there. */
import type { Crypto } from "effect-infisical"
import * as Effect from "effect/Effect"
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import * as EmulatorState from "../state/EmulatorState.js"

/** Whether every one of these values opens with the project's key, or the server has none. */
export const isLegible = (
  self: EmulatorState.Service,
  projectId: string,
  values: ReadonlyArray<
    Pick<EmulatorState.EncryptedFields, "secretValueCiphertext" | "secretValueIV" | "secretValueTag">
  >
): Effect.Effect<boolean, never, Crypto.Crypto> =>
  Effect.flatMap(Ref.get(self.state), ({ projects }) =>
    HashMap.get(projects, projectId.trim()).pipe(
      Option.filter(({ endToEndEncrypted }) => !endToEndEncrypted),
      Option.match({
        onNone: () => Effect.succeed(true),
        onSome: ({ key }) =>
          Effect.gen(function*() {
            const cipher = yield* EmulatorState.cipherOf(key)
            const plain = yield* cipher.decryptAll(values.map((value) => ({
              ciphertext: value.secretValueCiphertext,
              iv: value.secretValueIV,
              tag: value.secretValueTag
            })))
            return plain.every((value) => value !== undefined)
          })
      })
    ))
