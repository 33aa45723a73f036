import { assert, describe, it } from "@effect/vitest"
import { DateTime, Effect, Option, Redacted } from "effect"
import { type Crypto, Location, Secret, type Wire } from "effect-infisical"
import * as Snapshot from "../src/source/Snapshot.js"

const row = (name: string, type: Wire.SecretType, text: string): Snapshot.Row => ({
  id: `${type} ${name}`,
  name,
  type,
  version: 1,
  environment: "dev",
  secretPath: "/",
  details: Secret.noDetails,
  payload: { _tag: "Decrypted", value: Redacted.make(text), comment: "" }
})

const encrypted = (name: string, ciphertext: string): Snapshot.Row => ({
  ...row(name, "shared", ""),
  payload: Snapshot.encrypted({ ciphertext, iv: "", tag: "" }, Option.none())
})

/** Opens what is written in capitals, and keeps what it was asked for. */
const shouting = () => {
  const asked: Array<string> = []
  const cipher: Pick<Crypto.Cipher, "decryptAll"> = {
    decryptAll: (sealed) =>
      Effect.sync(() =>
        sealed.map(({ ciphertext }) => {
          asked.push(ciphertext)
          return ciphertext === ciphertext.toUpperCase() ? ciphertext.toLowerCase() : undefined
        })
      )
  }
  return { asked, cipher }
}

const snapshot = (
  rows: { readonly own: ReadonlyArray<Snapshot.Row>; readonly imported?: ReadonlyArray<Snapshot.Row> },
  cipher = shouting().cipher
) =>
  Effect.map(Location.make({ environment: "dev", secretPath: "/", includeImports: true }), (location) =>
    Snapshot.make({
      location,
      source: "live",
      fetchedAt: DateTime.unsafeMake(0),
      etag: Option.none(),
      staleBecause: Option.none(),
      expand: Option.none(),
      content: { imported: [], ...rows, undecryptableNames: [], cipher }
    }))

const read = (snapshot: Snapshot.Snapshot, name: string, type: Wire.SecretType) =>
  Effect.map(snapshot.get(name, type) ?? Effect.dieMessage("missing"), ({ value }) => Redacted.value(value))

describe("A snapshot", () => {
  it.effect("gives the personal secret where personal is asked for, and the shared one where there is none", () =>
    Effect.gen(function*() {
      const it = yield* snapshot({
        own: [row("A", "shared", "shared"), row("A", "personal", "mine"), row("B", "shared", "b")]
      })
      assert.strictEqual(yield* read(it, "A", "personal"), "mine")
      assert.strictEqual(yield* read(it, "A", "shared"), "shared")
      assert.strictEqual(yield* read(it, "B", "personal"), "b")
      const list = yield* it.list("personal")
      assert.deepStrictEqual(list.secrets.map(({ value }) => Redacted.value(value)), ["mine", "b"])
    }))

  it.effect("gives no personal secret of a folder that is imported", () =>
    Effect.gen(function*() {
      const it = yield* snapshot({ own: [], imported: [row("A", "personal", "theirs"), row("A", "shared", "shared")] })
      assert.strictEqual(yield* read(it, "A", "personal"), "shared")
    }))

  it.effect("gives the first of two secrets with one name, as a race on the server can leave them", () =>
    Effect.gen(function*() {
      const it = yield* snapshot({
        own: [row("A", "shared", "first"), { ...row("A", "shared", "second"), id: "other" }]
      })
      assert.strictEqual(yield* read(it, "A", "shared"), "first")
      assert.strictEqual((yield* it.list("shared")).secrets.length, 1)
    }))

  it.effect("decrypts a value at its first use, and never again", () =>
    Effect.gen(function*() {
      const { asked, cipher } = shouting()
      const it = yield* snapshot({ own: [encrypted("A", "ONE"), encrypted("B", "TWO")] }, cipher)
      assert.deepStrictEqual(asked, [])
      yield* Effect.all([read(it, "A", "shared"), read(it, "A", "personal")], { concurrency: "unbounded" })
      assert.strictEqual(yield* read(it, "A", "shared"), "one")
      assert.deepStrictEqual(asked, ["ONE"])
      yield* it.list("shared")
      assert.deepStrictEqual(asked, ["ONE", "TWO"])
    }))

  it.effect("fails for the one secret that cannot be decrypted, and lists it apart from the others", () =>
    Effect.gen(function*() {
      const it = yield* snapshot({ own: [encrypted("A", "ONE"), encrypted("BROKEN", "broken")] })
      assert.strictEqual(yield* read(it, "A", "shared"), "one")
      const error = yield* Effect.flip(read(it, "BROKEN", "shared"))
      assert.include(error, { _tag: "DecryptError", subject: "secret value", secretName: "BROKEN" })
      const list = yield* it.list("shared")
      assert.deepStrictEqual(list.secrets.map(({ name }) => name), ["A"])
      assert.deepStrictEqual(list.undecryptable.map(({ secretName }) => secretName), ["BROKEN"])
    }))

  it.effect("gives the value of a secret whose comment cannot be decrypted", () =>
    Effect.gen(function*() {
      const { payload, ...fields } = encrypted("A", "ONE")
      assert.strictEqual(payload._tag, "Encrypted")
      const it = yield* snapshot({
        own: [{
          ...fields,
          payload: Snapshot.encrypted(
            { ciphertext: "ONE", iv: "", tag: "" },
            Option.some({ ciphertext: "broken", iv: "", tag: "" })
          )
        }]
      })
      assert.strictEqual(yield* read(it, "A", "shared"), "one")
    }))

  it.effect("lists personal secrets only where they are asked for", () =>
    Effect.gen(function*() {
      const it = yield* snapshot({ own: [row("A", "shared", "shared"), row("A", "personal", "mine")] })
      assert.deepStrictEqual((yield* it.list("shared")).secrets.map(({ type }) => type), ["shared"])
    }))

  it.effect("keeps what was decrypted when a write of our own changes another secret", () =>
    Effect.gen(function*() {
      const { asked, cipher } = shouting()
      const before = yield* snapshot({ own: [encrypted("A", "ONE"), encrypted("B", "TWO")] }, cipher)
      yield* before.list("shared")
      const after = Snapshot.afterWrite(before, { put: [{ ...row("B", "shared", "new"), version: 2 }], deleted: [] })
      assert.strictEqual(yield* read(after, "A", "shared"), "one")
      assert.strictEqual(yield* read(after, "B", "shared"), "new")
      assert.deepStrictEqual(asked, ["ONE", "TWO"])
    }))

  it.effect("does not go back to an older version that was written before what the server has already shown", () =>
    Effect.gen(function*() {
      const before = yield* snapshot({ own: [{ ...row("A", "shared", "third"), version: 3 }] })
      const after = Snapshot.afterWrite(before, { put: [{ ...row("A", "shared", "second"), version: 2 }], deleted: [] })
      assert.strictEqual(yield* read(after, "A", "shared"), "third")
    }))

  it.effect("loses the personal secrets of a name with the shared one, and not the other way round", () =>
    Effect.gen(function*() {
      const before = yield* snapshot({ own: [row("A", "shared", "shared"), row("A", "personal", "mine")] })
      const withoutShared = Snapshot.afterWrite(before, { put: [], deleted: [{ name: "A", type: "shared" }] })
      assert.isUndefined(withoutShared.get("A", "personal"))
      const withoutPersonal = Snapshot.afterWrite(before, { put: [], deleted: [{ name: "A", type: "personal" }] })
      assert.strictEqual(yield* read(withoutPersonal, "A", "personal"), "shared")
    }))
})
