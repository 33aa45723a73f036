import { FileSystem } from "@effect/platform"
import { NodeContext } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Option, Redacted } from "effect"
import { InfisicalApi, Location } from "effect-infisical"
import { meanings as of2024_07b } from "./classifications-2024-07-b.js"
import { meanings as of2024_07 } from "./classifications-2024-07.js"
import { meanings as of2024_10 } from "./classifications-2024-10.js"
import { classifyFolder } from "./classifyFolder.js"
import { answering, type Outcome, outcomeOf } from "./recordedCalls.js"
import { folderOf, load, loadFolder } from "./Recordings.js"

/** What each failure means, with the least number of answers that are decoded. */
const eras = [
  { folder: "2024-07", meanings: of2024_07, decoded: 170 },
  { folder: "2024-07-b", meanings: of2024_07b, decoded: 100 },
  { folder: "2024-10", meanings: of2024_10, decoded: 300 }
] as const

const meaningOfOutcome = (outcome: Outcome): string => {
  switch (outcome._tag) {
    case "LeftOut":
      return "none"
    case "Answer":
      return "an answer"
    case "Failure":
      return outcome.meaning
    case "Defect":
      return `a defect: ${outcome.problem}`
  }
}

describe("InfisicalApi, given what a real server answered,", () => {
  for (const { decoded, folder, meanings } of eras) {
    it.effect(`decodes every success of ${folder} and gives every failure the meaning that its case has`, () =>
      Effect.gen(function*() {
        const recordings = yield* loadFolder(folderOf(folder))
        const wrong: Array<string> = []
        let answers = 0
        for (const recording of recordings) {
          const outcome = yield* outcomeOf(recording)
          if (outcome._tag === "Answer") answers++
          // A success that no call of ours can have has no meaning; a failure always has one, if only "none".
          const expected = meanings[recording.name] ??
            (recording.response.status >= 400
              ? "a meaning in the table"
              : outcome._tag === "LeftOut"
              ? "none"
              : "an answer")
          const meaning = meaningOfOutcome(outcome)
          if (meaning !== expected) wrong.push(`${recording.name}: ${meaning}, expected ${expected}`)
        }
        const names = new Set(recordings.map(({ name }) => name))
        assert.deepStrictEqual(wrong, [])
        assert.deepStrictEqual(Object.keys(meanings).filter((name) => !names.has(name)), [])
        assert.isAtLeast(answers, decoded)
      }).pipe(Effect.provide(NodeContext.layer)))
  }

  it.effect("names what is missing or taken, and only that", () =>
    Effect.gen(function*() {
      const recordings = yield* loadFolder(folderOf("2024-10"))
      const older = yield* loadFolder(folderOf("2024-07-b"))
      const failureOf = (name: string) => {
        const recording = [...recordings, ...older].find((recording) => recording.name === name)
        assert.isDefined(recording, name)
        return Effect.map(outcomeOf(recording), (outcome) => outcome._tag === "Failure" ? outcome.error : outcome)
      }
      assert.deepInclude(yield* failureOf("raw-batch/update-one-missing"), { secretName: "ABSENT" })
      assert.deepInclude(yield* failureOf("raw-batch/create-all-there"), {
        secretName: "B1",
        secretNames: ["B1", "B2"]
      })
      assert.deepInclude(yield* failureOf("batch/n-delete-all"), { secretNames: ["NB9", "N3"] })
      // The name that is taken is the new one, which the answer does not tell.
      assert.notProperty(yield* failureOf("raw-write/rename-to-taken"), "secretName")
      assert.deepInclude(yield* failureOf("folders/rename-to-taken"), { resource: "folder", folderName: "blank" })
      assert.deepInclude(yield* failureOf("folders/delete-unknown-name"), { resource: "folder", folderName: "nothing" })
      assert.deepInclude(yield* failureOf("imports/create-unknown-env"), { resource: "environment", environment: "qa" })
      assert.deepInclude(yield* failureOf("raw/get-unknown-env"), { resource: "environment", environment: "qa" })
      assert.deepInclude(yield* failureOf("folders/create-viewer"), { problem: "scope", resource: "folder" })
    }).pipe(Effect.provide(NodeContext.layer)))

  it.effect("counts what it becomes at the end of a report, which fails if an answer is not understood", () =>
    Effect.gen(function*() {
      const refused =
        "AuthenticationError Refused: Infisical refused the credential on GET /api/v4/secrets: the request reached Infisical without it. Check the proxy in between, and transformClient."
      const fs = yield* FileSystem.FileSystem
      const folder = yield* fs.makeTempDirectoryScoped()
      yield* fs.makeDirectory(`${folder}/raw`)
      const write = (name: string, path: string, status: number, body: unknown) =>
        fs.writeFileString(
          `${folder}/raw/${name}.json`,
          JSON.stringify({
            name: `raw/${name}`,
            request: { method: "GET", path, headers: {} },
            response: { status, headers: {}, body }
          })
        )
      yield* write("list", "/api/v4/secrets", 200, { secrets: [] })
      yield* write("status", "/api/status", 200, {})
      yield* write("refused", "/api/v4/secrets", 401, { statusCode: 401, error: "x", message: "Token missing" })
      const good = yield* classifyFolder(folder)
      assert.isTrue(good.isGood)
      assert.deepStrictEqual(good.lines, [
        "raw/list  200  decoded: 0 secrets and 0 imports",
        `raw/refused  401  ${refused}`,
        "raw/status  200  left out: no call of ours requests GET /api/status",
        "3 exchanges: 1 decoded, 1 failures with a meaning, 1 left out, 0 unexpected"
      ])
      yield* write("odd", "/api/v4/secrets", 200, { secrets: 1 })
      const bad = yield* classifyFolder(folder)
      assert.isFalse(bad.isGood)
      assert.strictEqual(
        bad.lines.at(-1),
        "4 exchanges: 1 decoded, 1 failures with a meaning, 1 left out, 1 unexpected"
      )
    }).pipe(Effect.scoped, Effect.provide(NodeContext.layer)))

  it.effect("takes the same fields of a secret from every route", () =>
    Effect.gen(function*() {
      const { recordings } = yield* load(["get"])
      const recording = recordings.find(({ name }) => name === "get/found-shared")
      if (recording === undefined) return
      const api = yield* Effect.provide(InfisicalApi.InfisicalApi, answering(recording))
      const location = yield* Location.make({ environment: "dev", secretPath: "/" })
      const answered = yield* api.encryptedSecrets.get({
        accessToken: Redacted.make("st.id.secret"),
        projectId: "project",
        location,
        name: "ROOT_ONLY",
        type: "shared"
      }, Option.none())
      assert.strictEqual(answered._tag, "Modified")
      if (answered._tag !== "Modified") return
      const secret = answered.answer
      assert.strictEqual(secret.id, "727cd22f-5e1a-415c-a768-172e10438ff7")
      assert.strictEqual(secret.environment, "dev")
      assert.isUndefined(secret.secretPath)
    }).pipe(Effect.provide(NodeContext.layer)))
})
