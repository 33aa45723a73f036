/** Reads the body of a request as the server does, by its content type. */
import type * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as Answer from "../eras/Answer.js"

/** 1 MiB */
const largest = 1024 * 1024

/** The body: parsed JSON or form, a text, or `null` where there is none. */
export const read = (request: HttpServerRequest.HttpServerRequest): Effect.Effect<unknown, Answer.Answer> =>
  request.method === "GET" || request.method === "HEAD"
    ? Effect.succeed(null)
    : Effect.flatMap(
      Effect.orElseSucceed(request.text, () => ""),
      (text) =>
        Buffer.byteLength(text) > largest
          ? Effect.fail(Answer.bodyTooLarge)
          : parse(request.headers["content-type"]?.split(";")[0]?.trim().toLowerCase(), text)
    )

const parse = (contentType: string | undefined, text: string): Effect.Effect<unknown, Answer.Answer> => {
  if (contentType === undefined && text === "") return Effect.succeed(null)
  switch (contentType) {
    case "application/json":
      return text === "" ? Effect.fail(Answer.bodyEmpty) : parseJson(text)
    case "application/x-www-form-urlencoded":
      return Effect.succeed(Object.fromEntries(new URLSearchParams(text)))
    case "text/plain":
      return Effect.succeed(text)
    default:
      return Effect.fail(Answer.mediaTypeUnsupported(String(contentType)))
  }
}

const parseJson = (text: string): Effect.Effect<unknown, Answer.Answer> =>
  Effect.try({
    try: (): unknown => {
      const json: unknown = JSON.parse(text)
      if (isPoisoned(json)) throw new SyntaxError("Object contains forbidden prototype property")
      return json
    },
    // Later engines add the line and the column.
    catch: (error) => Answer.bodyNotJson((error instanceof Error ? error.message : "").replace(/ \(line .*\)$/, ""))
  })

// What the server's parser refuses, since it could change the prototype of every object.
const isPoisoned = (json: unknown): boolean =>
  Array.isArray(json)
    ? json.some(isPoisoned)
    : Predicate.isReadonlyRecord(json) && (
      Object.hasOwn(json, "__proto__") ||
      (Predicate.isReadonlyRecord(json["constructor"]) && Object.hasOwn(json["constructor"], "prototype")) ||
      Object.values(json).some(isPoisoned)
    )
