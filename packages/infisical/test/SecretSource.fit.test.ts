/** Rule 6: the answer must fit the question. One table over all sources and operations. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Option, Redacted } from "effect"
import { Location, Secrets, SecretSource } from "effect-infisical"
import { changing, clientLayer, type Kind, kinds, mapSecrets, sourceLayer, Wire } from "./support/sources.js"

const world = {
  projects: {
    main: {
      folders: {
        dev: {
          "/app": { secrets: { A: "a" }, imports: [{ environment: "staging", path: "/shared" }] },
          "/app/deep": { secrets: { DEEP: "deep" } },
          "/app2": { secrets: { PREFIX: "prefix" } },
          "/other": { secrets: { OTHER: "other" } }
        },
        staging: { "/shared": { secrets: { IMPORTED: "imported" } } }
      }
    }
  }
}

const place = { environment: "dev", secretPath: "/app" }

/** Runs an operation of a source, on the secret `A` of `dev` at `/app`. */
type Operation = (source: SecretSource.Service) => Effect.Effect<unknown, { readonly _tag: string }>

const fetch = (options: Partial<Location.Options>): Operation => (source) =>
  Effect.flatMap(Location.make({ ...place, ...options }), (location) => source.fetch(location, Option.none()))

const write = (
  run: (source: SecretSource.Service, target: SecretSource.Target) => Effect.Effect<unknown, { readonly _tag: string }>
): Operation =>
(source) => Effect.flatMap(Location.make(place), (location) => run(source, { location, name: "A", type: "shared" }))

const value = Redacted.make("new")

const operations: Readonly<Record<string, { readonly methods: ReadonlyArray<string>; readonly run: Operation }>> = {
  "list": { methods: ["GET"], run: fetch({}) },
  "recursive list": { methods: ["GET"], run: fetch({ recursive: true }) },
  "get by name": { methods: ["GET"], run: fetch({ secretName: "A", includeImports: false }) },
  "create": {
    methods: ["POST"],
    run: write((source, target) => source.create({ ...target, name: "NEW" }, { value }))
  },
  "update": { methods: ["PATCH"], run: write((source, target) => source.update(target, { value })) },
  "update without a value": {
    methods: ["PATCH"],
    run: write((source, target) => source.update(target, { comment: "comment" }))
  },
  // A server of 2024-07 that decrypts cannot rename, so the secret is created under its new name.
  "rename": { methods: ["PATCH", "POST"], run: write((source, target) => source.update(target, { newName: "NEW" })) },
  "upsert": { methods: ["PATCH"], run: write((source, target) => source.upsert(target, { value })) },
  "batch of new secrets": {
    methods: ["POST"],
    run: write((source, { location }) => source.createMany(location, [["NEW", { value }]]))
  },
  "batch of updates": {
    methods: ["PATCH"],
    run: write((source, { location }) => source.updateMany(location, [["A", { value }]]))
  }
}

const statements = {
  project: { workspace: "00000000-0000-4000-8000-000000000000" },
  environment: { environment: "staging" },
  folder: { secretPath: "/other" },
  type: { type: "personal" },
  name: { secretKey: "OTHER" }
} as const

type Statement = keyof typeof statements

/** A list can have every name, and the types of a user. */
const isCompared = (operation: string, statement: Statement) =>
  !operation.endsWith("list") || (statement !== "name" && statement !== "type")

const encryptedName = ({ secretKeyCiphertext, secretKeyIV, secretKeyTag }: Readonly<Record<string, unknown>>) => ({
  secretKeyCiphertext,
  secretKeyIV,
  secretKeyTag
})

/** What a response says instead; an encrypted name is the one of the secret `OTHER`. */
const stated = (kind: Kind, statement: Statement) =>
  Effect.gen(function*() {
    if (statement !== "name" || kind !== "end-to-end-encrypted") return statements[statement]
    const { setHook } = yield* Wire
    let name: Readonly<Record<string, unknown>> = {}
    yield* setHook(changing(
      ["GET"],
      mapSecrets((secret) => {
        name = encryptedName(secret)
        return secret
      })
    ))
    yield* fetch({ secretPath: "/other" })(yield* SecretSource.SecretSource)
    return name
  })

for (const kind of kinds) {
  describe(`The ${kind} source`, () => {
    for (const [operation, { methods, run }] of Object.entries(operations)) {
      it.effect(`takes the answer of the server: ${operation}`, () =>
        Effect.flatMap(SecretSource.SecretSource, run).pipe(Effect.provide(sourceLayer(kind, world))))

      for (const statement of ["project", "environment", "folder", "type", "name"] as const) {
        if (!isCompared(operation, statement)) continue
        it.effect(`refuses the answer of another ${statement}: ${operation}`, () =>
          Effect.gen(function*() {
            const { setHook } = yield* Wire
            const other = yield* stated(kind, statement)
            yield* setHook(changing(methods, mapSecrets((secret) => ({ ...secret, ...other }))))
            const error = yield* Effect.flip(run(yield* SecretSource.SecretSource))
            assert.strictEqual(error._tag, "UnexpectedResponseError")
          }).pipe(Effect.provide(sourceLayer(kind, world))))
      }
    }

    it.effect("takes absent and empty fields as saying nothing", () =>
      Effect.gen(function*() {
        const source = yield* SecretSource.SecretSource
        const { setHook } = yield* Wire
        for (const silent of ["", null]) {
          const fields = { workspace: silent, environment: silent, secretPath: silent }
          yield* setHook(changing(["GET", "PATCH"], mapSecrets((secret) => ({ ...secret, ...fields }))))
          yield* fetch({})(source)
          yield* fetch({ secretName: "A", includeImports: false })(source)
          const location = yield* Location.make(place)
          const row = yield* source.update({ location, name: "A", type: "shared" }, { value })
          assert.include(row, { name: "A", environment: "dev", secretPath: "/app" })
        }
      }).pipe(Effect.provide(sourceLayer(kind, world))))

    it.effect("takes imports from elsewhere, but not from another project", () =>
      Effect.gen(function*() {
        const source = yield* SecretSource.SecretSource
        const { setHook } = yield* Wire
        const location = yield* Location.make(place)
        const { content } = yield* source.fetch(location, Option.none())
        assert.deepStrictEqual(content.imported.map(({ environment, name }) => [name, environment]), [[
          "IMPORTED",
          "staging"
        ]])
        yield* fetch({ secretName: "IMPORTED" })(source)
        yield* setHook(changing(
          ["GET"],
          mapSecrets((secret) => secret, (secret) => ({
            ...secret,
            ...statements.project
          }))
        ))
        assert.strictEqual((yield* Effect.flip(fetch({})(source)))._tag, "UnexpectedResponseError")
      }).pipe(Effect.provide(sourceLayer(kind, world))))

    it.effect("leaves out folders of a recursive list whose path only begins alike", () =>
      Effect.gen(function*() {
        const source = yield* SecretSource.SecretSource
        const location = yield* Location.make({ ...place, recursive: true })
        const { content } = yield* source.fetch(location, Option.none())
        assert.deepStrictEqual(content.own.map(({ secretPath }) => secretPath).toSorted(), ["/app", "/app/deep"])
      }).pipe(Effect.provide(sourceLayer(kind, world))))

    it.effect("refuses a batch that lacks a secret, or has one twice", () =>
      Effect.gen(function*() {
        const source = yield* SecretSource.SecretSource
        const { setHook } = yield* Wire
        const location = yield* Location.make(place)
        for (const size of [1, 3]) {
          yield* setHook(changing(["POST"], (body) => {
            const secrets = typeof body === "object" && body !== null && "secrets" in body ? body.secrets : []
            return { secrets: Array.isArray(secrets) ? [...secrets, ...secrets].slice(0, size) : [] }
          }))
          const names = [`NEW_${size}`, `NEWER_${size}`]
          const error = yield* Effect.flip(source.createMany(location, names.map((name) => [name, { value }])))
          assert.strictEqual(error._tag, "UnexpectedResponseError")
        }
      }).pipe(Effect.provide(sourceLayer(kind, world))))

    it.effect("answers batches in the order of the request", () =>
      Effect.gen(function*() {
        const source = yield* SecretSource.SecretSource
        const { setHook } = yield* Wire
        const location = yield* Location.make(place)
        yield* setHook(changing(["POST"], (body) => {
          const secrets = typeof body === "object" && body !== null && "secrets" in body ? body.secrets : []
          return { secrets: Array.isArray(secrets) ? secrets.toReversed() : [] }
        }))
        const names = ["ONE", "TWO", "THREE"]
        const rows = yield* source.createMany(
          location,
          names.map((name) => [name, { value: Redacted.make(`value of ${name}`) }])
        )
        assert.deepStrictEqual(
          rows.map(({ name, payload }) => [name, Redacted.value(payload.value)]),
          names.map((name) => [name, `value of ${name}`])
        )
      }).pipe(Effect.provide(sourceLayer(kind, world))))
  })

  it.effect(`An update that is answered with another secret is not cached: ${kind}`, () =>
    Effect.gen(function*() {
      const secrets = yield* Secrets.Secrets
      const { setHook } = yield* Wire
      const get = (name: string) => Effect.map(secrets.get(name, place), ({ value }) => Redacted.value(value))
      yield* secrets.create("B", Redacted.make("b"), place)
      const b = yield* secrets.update("B", Redacted.make("b"), place)
      assert.strictEqual(yield* get("A"), "a")
      let other: Readonly<Record<string, unknown>> = {}
      yield* setHook(changing(
        ["PATCH"],
        mapSecrets((secret) => {
          other = secret
          return secret
        })
      ))
      yield* secrets.update("B", Redacted.make("b"), place)
      yield* setHook(changing(["PATCH"], mapSecrets(() => other)))
      const error = yield* Effect.flip(secrets.update("A", Redacted.make("new"), place))
      assert.strictEqual(error._tag, "UnexpectedResponseError")
      yield* setHook(({ respond }) => respond)
      assert.strictEqual(yield* get("A"), "new")
      assert.strictEqual(yield* get("B"), "b")
      assert.strictEqual((yield* secrets.get("B", place)).id, b.id)
    }).pipe(Effect.provide(clientLayer(kind, world))))
}
