/** Refusals that get a wrong meaning. */
import { assert, describe, it } from "@effect/vitest"
import { classify, type RequestInfo } from "../src/api/classify.js"

const refusal = (status: number, error: string, message: unknown) => ({
  status,
  body: { reqId: "req-1", statusCode: status, error, message },
  retryAfter: undefined
})
const dev = { environment: "dev", secretPath: "/app" }
const list: RequestInfo = { endpoint: "GET /api/v4/secrets", action: "read", ...dev }
const get: RequestInfo = { endpoint: "GET /api/v4/secrets/:secretName", action: "read", secretNames: ["A"], ...dev }

describe("A 404 whose words are not known", () => {
  // G9: refusals that come as 404 were taken for a missing folder, which the fallback then hides.
  for (const message of ["Organization with ID 'x' not found", "User with ID 'x' not found", "KMS with ID 'x' not found"]) {
    for (const [what, info] of [["a list", list], ["a read by name", get]] as const) {
      it(`is not what was asked for, to ${what}: ${message}`, () => {
        assert.notInclude(classify(refusal(404, "NotFound", message), info), { _tag: "NotFoundError" })
      })
    }
  }
})

describe("A server that answers with what was sent", () => {
  // classify.ts: "Nothing that the server wrote is repeated in the error: it may quote what was sent."
  const clientSecret = "f2".repeat(32)
  it("does not have it repeated as the id of the request", () => {
    const { message } = classify({
      status: 401,
      body: { reqId: clientSecret, statusCode: 401, error: "UnauthorizedError", message: "Invalid credentials" },
      retryAfter: undefined
    }, { endpoint: "POST /api/v1/auth/universal-auth/login", action: undefined })
    assert.notInclude(message, clientSecret)
  })
  it("does not have it repeated as the path or the code of a validation issue", () => {
    const { message } = classify(refusal(422, "ValidationFailure", [{ code: "hunter2", path: ["s3cretValue"] }]), get)
    assert.notInclude(message, "hunter2")
    assert.notInclude(message, "s3cretValue")
  })
})
