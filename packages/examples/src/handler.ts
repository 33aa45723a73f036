/**
 * An HTTP handler that needs a secret. What it shows is how to test one: with secrets in memory, with an emulated
 * Infisical, and in an outage. Read test/handler.test.ts.
 *
 *     npx vitest run packages/examples/test/handler.test.ts
 */
import { HttpRouter, HttpServerResponse } from "@effect/platform"
import { Effect, Redacted, Schema } from "effect"
import { Secrets } from "effect-infisical"
import { createHmac } from "node:crypto"

/** Answers with a link to a file that is signed with the secret `SIGNING_KEY`. */
const link = Effect.gen(function*() {
  const { file } = yield* HttpRouter.schemaPathParams(Schema.Struct({ file: Schema.String }))
  const secrets = yield* Secrets.Secrets
  const key = yield* secrets.get("SIGNING_KEY")
  const signature = createHmac("sha256", Redacted.value(key.value)).update(file).digest("hex")
  return HttpServerResponse.text(`/files/${encodeURIComponent(file)}?signature=${signature}`)
}).pipe(
  Effect.catchTag("NetworkError", () => HttpServerResponse.text("Try again in a minute.", { status: 503 })),
  // The other errors are for the operator, not for the visitor.
  Effect.tapError((error) => Effect.logError(error.message)),
  Effect.orElse(() => HttpServerResponse.empty({ status: 500 }))
)

export const router = HttpRouter.empty.pipe(HttpRouter.get("/links/:file", link))
