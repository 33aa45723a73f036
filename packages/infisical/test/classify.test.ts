import { assert, describe, it } from "@effect/vitest"
import { Duration, FastCheck } from "effect"
import { classify, type RequestInfo } from "../src/api/classify.js"
import { meaningOf } from "./meaning.js"

const reading: RequestInfo = {
  endpoint: "GET /api/v3/secrets",
  action: "read",
  environment: "dev",
  secretPath: "/"
}
const updating: RequestInfo = {
  endpoint: "PATCH /api/v3/secrets/:secretName",
  action: "update",
  secretNames: ["NAME"],
  environment: "dev",
  secretPath: "/"
}

const answer = (status: number, error: string, message: unknown, more: Record<string, unknown> = {}) => ({
  status,
  body: { reqId: "req-1", statusCode: status, error, message, ...more },
  retryAfter: undefined
})

const meaning = (refusal: Parameters<typeof classify>[0], info = reading): string => meaningOf(classify(refusal, info))

// The column "2025" of the table in the wire's "Errors"; that of 2024-07 is the recordings'.
describe("A refusal of a current server", () => {
  const cases: Record<string, readonly [Parameters<typeof classify>[0], string, RequestInfo?]> = {
    "a secret that is not there": [
      answer(404, "NotFound", "Secret with name 'NAME' not found"),
      "NotFoundError secret",
      updating
    ],
    "a folder that is not there": [
      answer(404, "NotFound", "Folder with path '/nope' in environment with slug 'dev' not found"),
      "NotFoundError folder"
    ],
    "an environment that is not there": [
      answer(404, "NotFound", "Environment with slug 'nope' not found"),
      "NotFoundError environment"
    ],
    "a project that is not there": [answer(404, "NotFound", "Project with ID 'x' not found"), "NotFoundError project"],
    "something else that is not there": [answer(404, "NotFound", "Nothing here"), "InvalidRequestError request"],
    "a name that is taken": [answer(400, "BadRequest", "Secret already exist"), "AlreadyExistsError secret", updating],
    "a missing permission": [
      answer(403, "PermissionDenied", "You are not allowed to read on secrets"),
      "PermissionError scope"
    ],
    "an unknown token": [answer(403, "TokenError", "Invalid token"), "AuthenticationError Refused"],
    "an expired token": [answer(401, "TokenError", "jwt expired"), "AuthenticationError Expired"],
    "a malformed token": [answer(403, "TokenError", "jwt malformed"), "AuthenticationError Refused"],
    "a refused login": [answer(401, "Unauthorized", "Invalid credentials"), "AuthenticationError Refused"],
    "a locked identity": [
      answer(401, "Unauthorized", "This identity auth method is temporarily locked, please try again later"),
      "AuthenticationError Locked"
    ],
    "a used up token": [
      answer(400, "BadRequest", "Unable to renew because access token number of uses limit reached"),
      "AuthenticationError Expired"
    ],
    "a validation failure": [
      answer(422, "ValidationFailure", [{ path: ["secretPath"], code: "invalid_type" }]),
      "InvalidRequestError secretPath"
    ],
    "a validation failure in details": [
      answer(422, "ValidationFailure", "Validation failed", { details: [{ path: ["type"], code: "invalid_enum" }] }),
      "InvalidRequestError type"
    ],
    "an identity that is not in the project": [
      answer(403, "Identity not in project", "You are not allowed to access this resource"),
      "PermissionError project"
    ],
    "an address that is not allowed": [
      answer(403, "ForbiddenError", "You are not allowed to access this resource from the current IP"),
      "PermissionError address"
    ],
    "an end-to-end encrypted project on a raw route": [
      answer(400, "bot_not_found_error", "Failed to find bot key"),
      "InvalidRequestError project"
    ],
    "a body that is too large": [
      answer(413, "Payload Too Large", "Request body is too large"),
      "InvalidRequestError value"
    ],
    "a rate limit": [answer(429, "RateLimitExceeded", "Rate limit exceeded"), "NetworkError RateLimited"],
    "a failure": [answer(500, "InternalServerError", "Something went wrong"), "NetworkError ServerFailure"],
    "an unknown refusal": [answer(400, "BadRequest", "No"), "InvalidRequestError request"]
  }
  for (const [what, [refusal, expected, info]] of Object.entries(cases)) {
    it(`that means ${what} is classified as ${expected}`, () => {
      assert.strictEqual(meaning(refusal, info), expected)
    })
  }

  it("passes on the id of its request, and nothing else of its text", () => {
    const error = classify(answer(500, "InternalServerError", "planted0value"), reading)
    assert.include(error, { requestId: "req-1" })
    assert.notInclude(JSON.stringify(error), "planted0value")
    const odd = classify(answer(500, "InternalServerError", "x", { reqId: "not an id: planted0value" }), reading)
    assert.notProperty(odd, "requestId")
  })

  it("says of a write whether it may have been carried out", () => {
    assert.include(classify(answer(500, "x", "x"), updating), { mayHaveBeenApplied: true })
    assert.include(classify(answer(500, "x", "x"), reading), { mayHaveBeenApplied: false })
    const maintenance = answer(500, "x", "Infisical is in maintenance mode. Please try again later.")
    assert.include(classify(maintenance, updating), { mayHaveBeenApplied: false })
  })

  it("tells how long the server asks to wait, for a rate limit and for a failure, of a proxy as well", () => {
    const retryAfter = Duration.seconds(7)
    for (
      const refusal of [
        answer(429, "x", "x"),
        answer(503, "x", "x"),
        { status: 429, body: undefined },
        { status: 503, body: undefined }
      ]
    ) {
      assert.deepInclude(classify({ ...refusal, retryAfter }, reading), { _tag: "NetworkError", retryAfter })
      assert.notProperty(classify({ ...refusal, retryAfter: undefined }, reading), "retryAfter")
    }
  })
})

describe("A refusal with a hostile body", () => {
  const issue = { path: ["secretPath"], code: "invalid_type" }
  const cases: Record<string, readonly [unknown, string]> = {
    "an issue whose path has an object that cannot be a text": [
      [{ path: [{ toString: 1 }, ["a"], null, true, "secretPath", 0], code: "invalid" }],
      "InvalidRequestError secretPath.0"
    ],
    "an issue whose path is a text": [[{ path: "planted0" }], "InvalidRequestError request"],
    "an issue whose path is endless": [
      [{ path: Array.from({ length: 100_000 }, () => "value") }],
      `InvalidRequestError ${Array.from({ length: 8 }, () => "value").join(".")}`
    ],
    "issues that are none": [[null, 1, "planted0", []], "InvalidRequestError request"],
    "100,000 issues": [Array.from({ length: 100_000 }, () => issue), "InvalidRequestError secretPath"]
  }
  for (const [what, [message, expected]] of Object.entries(cases)) {
    it(`such as ${what} is described in a few words of ours`, () => {
      const error = classify(answer(422, "ValidationFailure", message), reading)
      assert.strictEqual(meaningOf(error), expected)
      assert.isAtMost(error.message.length, 1000)
      assert.notInclude(error.message, "planted0")
    })
  }

  it("says how many issues it leaves out", () => {
    const error = classify(answer(422, "ValidationFailure", Array.from({ length: 8 }, () => issue)), reading)
    assert.include(error.message, `${"secretPath is invalid_type, ".repeat(5).slice(0, -2)} and 3 more`)
  })

  const repeated = [
    "'",
    "\"",
    "'\"`",
    "environment with ",
    "blind index ",
    "with not found ",
    "Secret with ",
    "a",
    "\n",
    "İ"
  ]
  for (const text of repeated) {
    it(`takes next to no time for a message of 4 MB of ${JSON.stringify(text)}`, () => {
      const message = text.repeat(4_000_000 / text.length)
      const started = performance.now()
      for (const prefix of ["", "Secret ", "Folder with ", "Environment ", "A secret "]) {
        classify(answer(404, message, `${prefix}${message}`, { reqId: message, details: message }), {
          ...updating,
          secretNames: ["ONE", "TWO"]
        })
      }
      // Quadratic time would take minutes.
      assert.isBelow(performance.now() - started, 10_000)
    })
  }

  it("is not thrown at, whatever JSON it is", () => {
    FastCheck.assert(
      FastCheck.property(
        FastCheck.integer({ min: 0, max: 999 }),
        FastCheck.oneof(
          FastCheck.jsonValue(),
          FastCheck.record({
            statusCode: FastCheck.integer({ min: 400, max: 599 }),
            error: FastCheck.oneof(FastCheck.jsonValue(), FastCheck.constantFrom("ValidationFailure", "NotFound")),
            message: FastCheck.oneof(
              FastCheck.jsonValue(),
              FastCheck.array(
                FastCheck.record({ path: FastCheck.array(FastCheck.jsonValue()), code: FastCheck.jsonValue() })
              )
            ),
            details: FastCheck.jsonValue(),
            reqId: FastCheck.jsonValue()
          })
        ),
        (status, body) => {
          const statusCode = typeof body === "object" && body !== null && "statusCode" in body
            ? body.statusCode
            : status
          const error = classify(
            { status: typeof statusCode === "number" ? statusCode : status, body, retryAfter: undefined },
            updating
          )
          assert.isAtMost(error.message.length, 1000)
        }
      ),
      { numRuns: 3000, seed: 1 }
    )
  })
})

describe("A name in a message", () => {
  const hostile = FastCheck.constantFrom(
    "SESSION_EXPIRED_URL",
    "expired",
    "already exist",
    "maintenance mode",
    "environment not found",
    "jwt malformed",
    "O'Brien's expired",
    "project not found"
  )
  it.prop("does not decide what the message means", [hostile], ([name]) => {
    assert.strictEqual(
      meaning(answer(400, "BadRequest", `Secret not found: blind index ${name}`), updating),
      "NotFoundError secret"
    )
    assert.strictEqual(
      meaning(answer(404, "NotFound", `Secret with name '${name}' not found`), updating),
      "NotFoundError secret"
    )
    assert.strictEqual(
      meaning(answer(404, "NotFound", `Folder with path '/${name}' in environment with slug '${name}' not found`)),
      "NotFoundError folder"
    )
  })
})

describe("A refusal that is not Infisical's own", () => {
  for (
    const [what, status, body] of [
      ["a proxy's 401", 401, undefined],
      ["a firewall's 403", 403, undefined],
      ["a gateway's 403", 403, { message: "Forbidden" }],
      ["a gateway's 404", 404, { message: "no Route matched with those values" }],
      ["another API's error", 400, { statusCode: 401, message: "Unauthorized" }]
    ] as const
  ) {
    it(`such as ${what} says nothing of credential, permission or secrets`, () => {
      assert.strictEqual(meaning({ status, body, retryAfter: undefined }), "UnexpectedResponseError")
    })
  }
})
