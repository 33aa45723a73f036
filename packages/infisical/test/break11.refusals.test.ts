/** Refusals that get a wrong meaning. */
import { assert, describe, it } from "@effect/vitest"
import { classify, type RequestInfo } from "../src/api/classify.js"

const refusal = (status: number, error: string, message: unknown) => ({
  status,
  body: { reqId: "req-1", statusCode: status, error, message },
  retryAfter: undefined
})
const notAllowed = "You are not allowed to access this resource"
const dev = { environment: "dev", secretPath: "/app" }
const list: RequestInfo = { endpoint: "GET /api/v4/secrets", action: "read", ...dev }
const get: RequestInfo = { endpoint: "GET /api/v4/secrets/:secretName", action: "read", secretNames: ["A"], ...dev }
const oidc: RequestInfo = { endpoint: "POST /api/v1/auth/oidc-auth/login", action: undefined }

describe("A refused login", () => {
  // current.md 3: "500 DatabaseError, InternalServerError, OidcAuthError". Whatever refuses a login is an AuthenticationError.
  for (const message of ["jwt audience invalid. expected: x", "Access denied: OIDC subject not allowed.", "unable to verify the first certificate"]) {
    it(`by OidcAuthError with status 500 is an AuthenticationError: ${message}`, () => {
      assert.include(classify(refusal(500, "OidcAuthError", message), oidc), { _tag: "AuthenticationError" })
    })
  }
})

describe("A user who is not in the project", () => {
  for (const error of ["User not in project", "User not a part of the specified project with ID 8a15230e"]) {
    it(`is refused for the project: ${error}`, () => {
      assert.include(classify(refusal(403, error, notAllowed), list), { _tag: "PermissionError", problem: "project" })
    })
  }
})

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

describe("Names that are taken", () => {
  it("are not guessed where a name has a comma", () => {
    const error = classify(refusal(400, "BadRequest", "Secret already exists: A,B"), {
      endpoint: "POST /api/v4/secrets/batch",
      action: "create",
      secretNames: ["A", "A,B"],
      ...dev
    })
    assert.include(error, { _tag: "AlreadyExistsError" })
    assert.notStrictEqual("secretName" in error ? error.secretName : undefined, "A")
  })
})

describe("A folder that a move does not find", () => {
  const move: RequestInfo = { endpoint: "POST /api/v4/secrets/move", action: "update", environment: "dev", secretPath: "/" }
  it("is the destination", () => {
    const error = classify(
      refusal(404, "NotFound", "Destination folder with path '/nope' in environment with slug 'prod' not found"),
      move
    )
    assert.notInclude(error, { _tag: "NotFoundError", environment: "dev", secretPath: "/" })
  })
})

describe("An organization that does not exist", () => {
  // An access token carries organizationSlug in x-infisical-org, so that any request can be refused for it.
  for (const info of [list, get]) {
    it(`is no missing folder or secret: ${info.endpoint}`, () => {
      assert.notInclude(classify(refusal(404, "NotFound", "Sub organization with name x not found"), info), {
        _tag: "NotFoundError"
      })
    })
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
