/** Decrypts rows, each at most once, and keeps the results. */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberId from "effect/FiberId"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type { Sealed } from "../crypto/Crypto.js"
import { DecryptError, PermissionError } from "../model/InfisicalError.js"
import type { Content, Decrypted, Encrypted, Row } from "./SecretSource.js"

/** The state of one decryption. Only this module reads or writes it. */
interface Slot {
  decrypted: Exit.Exit<Decrypted, DecryptError> | undefined
  inFlight: Deferred.Deferred<void> | undefined
}

/**
 * An encrypted payload that carries its own slot.
 *
 * The slot lives as long as the row, and unchanged rows are shared by consecutive snapshots, so no value is decrypted
 * twice. A `WeakMap` for all rows would cost a tenth of a cold list.
 */
interface EncryptedWithSlot extends Encrypted, Slot {}

export const encrypted = (value: Sealed, comment: Option.Option<Sealed>): Encrypted => {
  const payload: EncryptedWithSlot = { _tag: "Encrypted", value, comment, decrypted: undefined, inFlight: undefined }
  return payload
}

const hasSlot = (payload: Encrypted): payload is EncryptedWithSlot => "inFlight" in payload

/** The slots of payloads that a user's own source made, which may be frozen. */
const otherSlots = new WeakMap<Encrypted, Slot>()

const slotOf = (payload: Encrypted): Slot => {
  if (hasSlot(payload)) return payload
  const known = otherSlots.get(payload)
  if (known !== undefined) return known
  const slot: Slot = { decrypted: undefined, inFlight: undefined }
  otherSlots.set(payload, slot)
  return slot
}

/** The result of decrypting a row, or `undefined` before that. */
export const decryptedExit = (row: Row): Exit.Exit<Decrypted, DecryptError | PermissionError> | undefined => {
  switch (row.payload._tag) {
    case "Decrypted":
      return Exit.succeed(row.payload)
    case "Encrypted":
      return slotOf(row.payload).decrypted
    case "Hidden":
      return Exit.fail(
        new PermissionError({
          endpoint: `secret "${row.name}"`,
          problem: "hidden value",
          action: "read",
          environment: row.environment,
          secretPath: row.secretPath
        })
      )
  }
}

/** Decrypts rows, each at most once, however many callers need it at the same time. */
export const decryptRows = (cipher: Content["cipher"], rows: Iterable<Row>): Effect.Effect<void> =>
  Effect.suspend(() => {
    const missing: Array<Missing> = []
    const others = new Set<Deferred.Deferred<void>>()
    for (const { payload, name } of rows) {
      if (payload._tag !== "Encrypted") continue
      const slot = slotOf(payload)
      if (slot.decrypted !== undefined) continue
      if (slot.inFlight === undefined) missing.push({ payload, slot, name })
      else others.add(slot.inFlight)
    }
    const decrypted = missing.length === 0 ? Effect.void : decrypt(cipher, missing)
    return others.size === 0
      ? decrypted
      : Effect.zipRight(decrypted, Effect.forEach(others, Deferred.await, { discard: true }))
  })

interface Missing {
  readonly payload: Encrypted
  readonly slot: Slot
  readonly name: string
}

const decrypt = (cipher: Content["cipher"], missing: ReadonlyArray<Missing>): Effect.Effect<void> =>
  Effect.suspend(() => {
    const done = Deferred.unsafeMake<void>(FiberId.none)
    const sealed: Array<Sealed> = []
    for (const { payload, slot } of missing) {
      slot.inFlight = done
      sealed.push(payload.value)
      if (Option.isSome(payload.comment)) sealed.push(payload.comment.value)
    }
    return Effect.ensuring(
      Effect.map(cipher.decryptAll(sealed), (plaintexts) => {
        let next = 0
        for (const { payload, name, slot } of missing) {
          const value = plaintexts[next++]
          // A comment that cannot be decrypted does not withhold the value.
          const comment = (Option.isSome(payload.comment) ? plaintexts[next++] : undefined) ?? ""
          slot.decrypted = value === undefined
            ? undecryptable(name)
            : Exit.succeed({ _tag: "Decrypted", value: Redacted.make(value), comment })
        }
      }),
      Effect.suspend(() => {
        for (const { slot } of missing) slot.inFlight = undefined
        return Deferred.succeed(done, undefined)
      })
    )
  }).pipe(Effect.uninterruptible)

/** Decrypts rows and returns those that could be, each with its plain text. */
export const decryptedRows = (
  cipher: Content["cipher"],
  rows: ReadonlyArray<Row>
): Effect.Effect<ReadonlyArray<readonly [Row, Decrypted]>> =>
  Effect.map(decryptRows(cipher, rows), () =>
    rows.flatMap((row) => {
      const exit = decryptedExit(row)
      return exit !== undefined && Exit.isSuccess(exit) ? [[row, exit.value] as const] : []
    }))

const undecryptable = (secretName: string) =>
  Exit.fail(
    new DecryptError({
      subject: "secret value",
      secretName,
      problem: "it is not authentic, or was encrypted with another key"
    })
  )
