/**
 * What `Secrets` does on a live Infisical server: the one that the variables of `Infisical.layerConfig` name, in the
 * environment or in `.env`, with a service token or a machine identity. It writes to `INFISICAL_ENVIRONMENT` and
 * `INFISICAL_SECRET_PATH` (`dev`, `/`), and removes what it wrote, also if it is interrupted.
 */
import { assert, describe, it, layer } from "@effect/vitest"
import { Effect, Layer, Option } from "effect"
import { behaviours } from "./support/behaviours.js"
import * as LiveServer from "./support/LiveServer.js"
import * as Scratch from "./support/scratch.js"
import * as TestServer from "./TestServer.js"

const found = await Effect.runPromise(LiveServer.find)

it.skipIf(Option.isNone(found))(
  "A live server is named by INFISICAL_TOKEN, or by the variables of an identity, in .env",
  () => {
    assert.isTrue(Option.isSome(found))
  }
)

for (const server of Option.toArray(found)) {
  const { cannotWrite, description, isEndToEndEncrypted, options } = server
  Scratch.removeAtEnd(LiveServer.clientOf(options))
  // Beside the reporter, whose default leaves the reasons of skipped tests out.
  process.stderr.write(`The live tests use ${description}.\n`)
  for (const reason of LiveServer.skipped(server)) process.stderr.write(`Skipped: ${reason}.\n`)
  describe("Secrets on a live server", () => {
    layer(Layer.provideMerge(TestServer.client({ fallback: false }), TestServer.live(options)), {
      excludeTestServices: true,
      timeout: "1 minute"
    })((it) => {
      behaviours(it, {
        cannotWrite,
        isEndToEndEncrypted,
        isUser: options.credential._tag === "AccessToken"
      })
    })
  })
}
