import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { InfisicalError } from "effect-infisical"

const endpoint = "GET /api/v4/secrets"

const unreachable: ReadonlyArray<InfisicalError.ReadError> = [
  ...(["Transport", "Timeout", "RateLimited", "ServerFailure"] as const).map((reason) =>
    new InfisicalError.NetworkError({ reason, endpoint, mayHaveBeenApplied: false })
  ),
  new InfisicalError.UnexpectedResponseError({ endpoint, status: 200, problem: "it is not JSON" }),
  new InfisicalError.InvalidCredentialError({ part: "jwt", problem: "cannot be read" }),
  new InfisicalError.InvalidRequestError({ parameter: "siteUrl", problem: "the server redirects" })
]

const answered: ReadonlyArray<InfisicalError.WriteError | InfisicalError.AlreadyExistsError> = [
  new InfisicalError.NotFoundError({ resource: "secret" }),
  new InfisicalError.DecryptError({ subject: "secret value", problem: "it is not authentic" }),
  new InfisicalError.AuthenticationError({ reason: "Refused", endpoint, status: 401 }),
  new InfisicalError.PermissionError({ problem: "scope", endpoint }),
  new InfisicalError.InvalidRequestError({ parameter: "secretPath", problem: "it must begin with a slash" }),
  new InfisicalError.AlreadyExistsError({}),
  new InfisicalError.ApprovalRequiredError({ approvalId: "1", endpoint })
]

describe("isUnreachable", () => {
  for (const error of unreachable) {
    it(`is true for ${error.message}`, () => {
      expect(InfisicalError.isUnreachable(error)).toBe(true)
    })
  }

  for (const error of answered) {
    it(`is false for ${error.message}`, () => {
      expect(InfisicalError.isUnreachable(error)).toBe(false)
    })
  }

  it("is false for what is no error of this library", () => {
    expect(["NetworkError", null, undefined, { _tag: "NetworkError" }].map(InfisicalError.isUnreachable))
      .toEqual([false, false, false, false])
  })

  it.effect("narrows what Effect.catchIf handles, and what it leaves", () =>
    Effect.gen(function*() {
      const failing = (
        error: InfisicalError.NetworkError | InfisicalError.NotFoundError
      ): Effect.Effect<string, InfisicalError.NetworkError | InfisicalError.NotFoundError> => Effect.fail(error)
      const handled = (error: InfisicalError.NetworkError | InfisicalError.NotFoundError) =>
        failing(error).pipe(
          Effect.catchIf(InfisicalError.isUnreachable, ({ reason }) => Effect.succeed(reason)),
          Effect.catchAll(({ resource }) => Effect.succeed(resource))
        )
      expect(
        yield* handled(new InfisicalError.NetworkError({ reason: "Timeout", endpoint, mayHaveBeenApplied: false }))
      ).toBe("Timeout")
      expect(yield* handled(new InfisicalError.NotFoundError({ resource: "project" }))).toBe("project")
    }))
})
