/** What the name of a new secret may be, on servers that check it. */
import * as Either from "effect/Either"
import * as Answer from "../eras/Answer.js"
import type { Refusable } from "./access.js"

/** Refuses the first new name that has a slash or a colon. */
export const checkNames = ({ action, items, operation }: {
  readonly action: Answer.Action
  readonly operation: Answer.Operation
  readonly items: ReadonlyArray<{ readonly secretKey: string; readonly newSecretName?: string | undefined }>
}): Refusable<void> => {
  for (const [index, { newSecretName, secretKey }] of items.entries()) {
    const name = newSecretName ?? (action === "create" ? secretKey : "")
    const character = name.includes(":") ? "colon" : name.includes("/") ? "forward slash" : undefined
    if (character === undefined) continue
    const field = newSecretName === undefined ? "secretKey" : "newSecretName"
    return Either.left(Answer.secretNameInvalid(
      character,
      /Many/.test(operation) ? ["secrets", index, field] : [field === "secretKey" ? "secretName" : field]
    ))
  }
  return Either.void
}
