import { assert, describe, it } from "@effect/vitest"
import { classify, isRouteMissing, type RequestInfo } from "../src/api/classify.js"
import {
  type Answer,
  emptyMessages,
  type Era,
  type Meaning,
  type Row,
  rows,
  type Subject
} from "../src/api/refusals.js"
import { meaningOf } from "./meaning.js"

const eras: ReadonlyArray<string> = ["2024-07", "2024-10", "2025", "2026"] satisfies ReadonlyArray<Era>

const login: RequestInfo = { endpoint: "POST /api/v1/auth/universal-auth/login", action: undefined }

/** A write about each subject. */
const requests: Readonly<Record<Subject, RequestInfo>> = {
  credential: login,
  secret: {
    endpoint: "PATCH /api/v4/secrets/batch",
    action: "update",
    secretNames: ["ONE", "TWO", "THREE"],
    environment: "dev",
    secretPath: "/app"
  },
  folder: {
    endpoint: "POST /api/v1/folders",
    action: "create",
    folderName: "new",
    environment: "dev",
    secretPath: "/app"
  },
  import: {
    endpoint: "POST /api/v1/secret-imports",
    action: "create",
    importedEnvironment: "staging",
    environment: "dev",
    secretPath: "/app"
  },
  other: { endpoint: "POST /api/v1/kms/keys", action: "create" }
}

const refusal = (status: number, error: string, message: unknown, more: Record<string, unknown> = {}) => ({
  status,
  body: { reqId: "req-1", statusCode: status, error, message, ...more },
  retryAfter: undefined
})

const shortOf = (means: Meaning): string => {
  switch (means._tag) {
    case "AlreadyExistsError":
    case "NotFoundError":
      return `${means._tag} ${means.resource}`
    case "AuthenticationError":
      return `${means._tag} ${means.reason}`
    case "InvalidRequestError":
      return `${means._tag} ${means.parameter}`
    case "NetworkError":
      return "NetworkError ServerFailure"
    case "PermissionError":
      return `${means._tag} ${means.problem}`
  }
}

const requestOf = ({ of }: Row): RequestInfo => requests[of?.[0] ?? "secret"]

const cases = rows.flatMap((row) =>
  row.answers.map((answer): [string, Row, Answer] => [
    `${answer[0]}, ${answer[1]} ${answer[2]}: ${answer[3]}`,
    row,
    answer
  ])
)

const filled = (template: string, name: string) => template.replaceAll("…", name)

const classified = (row: Row, [, status, error, message]: Answer, name: string) =>
  classify(
    refusal(
      status,
      filled(error, name),
      // If the error decides, the message has nothing to say.
      message === "…" ? "Something new" : filled(message, emptyMessages.has(message) ? "" : name)
    ),
    requestOf(row)
  )

describe("The table of refusals", () => {
  for (const [what, row, answer] of cases) {
    it(`gives ${what} the meaning that ${row.case}`, () => {
      const error = classified(row, answer, "ONE")
      assert.strictEqual(meaningOf(error), shortOf(row.means))
      if ("problem" in row.means) assert.strictEqual("problem" in error ? error.problem : undefined, row.means.problem)
      const [from = "", to = from] = answer[0].split(" to ")
      assert.isAtLeast(eras.indexOf(from), 0)
      assert.isAtLeast(eras.indexOf(to), eras.indexOf(from))
    })
  }

  const hostile = [
    "it has expired",
    "x' not found",
    "Secret already exist",
    "environment not found",
    "O'Brien's",
    "jwt malformed",
    "Project bot not found for project with ID 1",
    "auth method not found for identity",
    "in path /",
    "due to plan restriction. "
  ]
  it("takes no meaning from a name that a message quotes", () => {
    const wrong: Array<string> = []
    for (const [what, row, answer] of cases) {
      if (!answer[3].includes("…") || answer[3] === "…") continue
      for (const name of hostile) {
        const meaning = meaningOf(classified(row, answer, name))
        if (meaning !== shortOf(row.means)) wrong.push(`${what}, with ${name}: ${meaning}`)
      }
    }
    assert.deepStrictEqual(wrong, [])
  })

  it("says in each problem what is wrong, and says the meaning of a case once", () => {
    const texts = rows.map(({ case: text }) => text)
    assert.strictEqual(new Set(texts).size, texts.length)
    for (const { answers, means } of rows) {
      assert.isNotEmpty(answers)
      if ("problem" in means && means.problem !== undefined) assert.notInclude(means.problem, "…")
    }
  })
})

describe("A refusal of a login", () => {
  const texts = [
    [400, "BadRequest", "Something that no version says"],
    [401, "UnauthorizedError", "Something that no version says"],
    [403, "ForbiddenError", "You are not allowed to access this resource"],
    [403, "PermissionDenied", "You are not allowed to read on secrets"],
    [404, "NotFound", "The requested entity is not found"],
    [404, "NotFound", "Project with ID 'x' not found"],
    [410, "Gone", "x"]
  ] as const
  for (const endpoint of [login.endpoint, "POST /api/v1/auth/token/renew", "GET /api/v2/service-token"]) {
    for (const [status, error, message] of texts) {
      it(`is an AuthenticationError on ${endpoint} whatever the server answers, such as ${status} ${error}`, () => {
        const meaning = meaningOf(classify(refusal(status, error, message), { ...login, endpoint }))
        assert.strictEqual(meaning, "AuthenticationError Refused")
      })
    }
  }

  for (
    const message of [
      "jwt audience invalid. expected: x",
      "Access denied: OIDC subject not allowed.",
      "unable to verify the first certificate"
    ]
  ) {
    it(`is an AuthenticationError if it comes as a failure of OIDC: ${message}`, () => {
      const oidc = { ...login, endpoint: "POST /api/v1/auth/oidc-auth/login" }
      const error = classify(refusal(500, "OidcAuthError", message), oidc)
      assert.strictEqual(meaningOf(error), "AuthenticationError Refused")
    })
  }

  it("is none if the server fails, limits, validates, or has no such login, which is not a missing v4", () => {
    const meaning = (status: number, error: string, message: unknown) => {
      const found = classify(refusal(status, error, message), login)
      assert.isFalse(isRouteMissing(found))
      return meaningOf(found)
    }
    assert.strictEqual(meaning(500, "InternalServerError", "Something went wrong"), "NetworkError ServerFailure")
    assert.strictEqual(
      meaning(429, "RateLimitExceeded", "Failed to acquire lock: rate limit exceeded"),
      "NetworkError RateLimited"
    )
    assert.strictEqual(
      meaning(422, "ValidationFailure", [{ path: ["clientId"], code: "invalid_type" }]),
      "InvalidRequestError clientId"
    )
    assert.strictEqual(
      meaning(404, "Not Found", "Route POST:/api/v1/auth/universal-auth/login not found"),
      "InvalidRequestError credential"
    )
  })
})

describe("A 404 whose words are not known", () => {
  for (const message of ["Organization with ID 'x' not found", "KMS with ID 'x' not found"]) {
    for (const info of [requests.secret, requests.folder, requests.import]) {
      it(`is not what a write is about: ${message}, to ${info.endpoint}`, () => {
        assert.strictEqual(meaningOf(classify(refusal(404, "NotFound", message), info)), "InvalidRequestError request")
      })
    }
  }
})

describe("A 404 on a read, in words that are not known,", () => {
  const meaning = (message: string, info: RequestInfo) => meaningOf(classify(refusal(404, "NotFound", message), info))
  const read = { ...requests.secret, endpoint: "GET /api/v4/secrets/:secretName", action: "read" as const }

  it("is what the request is about where the text begins with its kind", () => {
    assert.strictEqual(meaning("Secret NAME is gone", read), "NotFoundError secret")
    assert.strictEqual(
      meaning("Folder /app is gone", { ...read, endpoint: "GET /api/v2/folders" }),
      "NotFoundError folder"
    )
  })

  it("is something else where the text begins with another word", () => {
    for (const message of ["KMS with ID 'x' not found", "Key of Secret NAME not found", "Tag 'Secret ' not found"]) {
      assert.strictEqual(meaning(message, read), "InvalidRequestError request")
    }
  })
})

describe("A validation that quotes what was sent", () => {
  const clientSecret = "f2".repeat(32)

  for (
    const issue of [
      { path: [clientSecret], code: "invalid_type" },
      { path: ["clientSecret"], code: clientSecret },
      { field: `secrets[0].${clientSecret}`, code: "custom" },
      { field: clientSecret }
    ]
  ) {
    it(`is repeated in known words only: ${JSON.stringify(issue).replaceAll(clientSecret, "…")}`, () => {
      const error = classify(
        { status: 422, body: { statusCode: 422, error: "ValidationFailure", message: [issue] }, retryAfter: undefined },
        requests.secret
      )
      assert.notInclude(JSON.stringify(error) + error.message, clientSecret)
    })
  }
})

describe("An organization that does not exist", () => {
  // An access token sends organizationSlug with every request.
  for (const info of Object.values(requests)) {
    it(`is a refusal of the credential on ${info.endpoint}`, () => {
      const error = classify(refusal(404, "NotFound", "Sub organization with name x not found"), info)
      assert.strictEqual(meaningOf(error), "AuthenticationError Refused")
      assert.include(error.message, "organizationSlug")
    })
  }
})

describe("The id of a request", () => {
  const clientSecret = "f2".repeat(32)
  const message = (reqId: string) =>
    classify({
      status: 401,
      body: { reqId, statusCode: 401, error: "UnauthorizedError", message: "Invalid credentials" },
      retryAfter: undefined
    }, login).message

  it("is repeated only if it is one of Infisical, since a server may answer with what was sent", () => {
    assert.include(message("req-7Jq2abcd-1"), "req-7Jq2abcd-1")
    assert.notInclude(message(clientSecret), clientSecret)
  })
})

describe("A batch that names what does not exist", () => {
  const missing = (message: string, secretNames: ReadonlyArray<string>, more: Record<string, unknown> = {}) => {
    const body = { statusCode: 404, error: "NotFound", message, ...more }
    const error = classify({ status: 404, body, retryAfter: undefined }, { ...requests.secret, secretNames })
    return error._tag === "NotFoundError" ? error.secretNames ?? [error.secretName ?? "unknown"] : meaningOf(error)
  }
  const current = { reqId: "req-1" }

  it("gives the missing names, from a list of them and from a list of the others", () => {
    assert.deepStrictEqual(missing("Secret does not exist: B, C in path /app", ["A", "B", "C"], current), ["B", "C"])
    assert.deepStrictEqual(missing("Secret not found: blind index B,C", ["A", "B", "C"]), ["B", "C"])
    assert.deepStrictEqual(missing("Secret does not exist: A", ["A", "B", "C"]), ["B", "C"])
    assert.deepStrictEqual(missing("One or more secrets does not exist: A", ["A", "B"]), ["B"])
    assert.deepStrictEqual(missing("One or more secrets does not exist: ", ["A", "B"], current), ["A", "B"])
  })

  it("gives none where servers of 2025 and of 2026 mean opposites by the same words", () => {
    assert.deepStrictEqual(missing("One or more secrets does not exist: A", ["A", "B"], current), ["unknown"])
    assert.deepStrictEqual(missing("One or more secrets does not exist: A", ["A"], current), ["A"])
  })

  it("gives names that were sent only", () => {
    assert.deepStrictEqual(missing("Secret does not exist: planted, B in path /app", ["A", "B"], current), ["B"])
    assert.deepStrictEqual(missing("Secret does not exist: planted in path /app", ["A", "B"], current), ["unknown"])
    assert.deepStrictEqual(missing("Secret not found: blind index A in path /,B", ["A in path /", "B"]), [
      "A in path /",
      "B"
    ])
    // A list that was cut may end within a name.
    const long = Array.from({ length: 900 }, (_, index) => `N${index}`)
    const given = missing(`Secret does not exist: ${long.join(", ")}`, [...long, "LAST"])
    assert.deepStrictEqual(given, ["unknown"])
  })

  it("gives the name of a single request, unless the server lists it as one that exists", () => {
    const single = (message: string) =>
      meaningOf(classify(refusal(404, "NotFound", message), {
        endpoint: "PATCH /api/v3/secrets/raw/:secretName",
        action: "update",
        secretNames: ["A"]
      }))
    assert.strictEqual(single("Secret does not exist: "), "NotFoundError secret")
    assert.strictEqual(single("Secret not found: blind index "), "NotFoundError secret")
    assert.strictEqual(single("Secret does not exist: A"), "InvalidRequestError request")
    // A rename that an approval policy covers: the server lists the new name.
    assert.strictEqual(single("Secret does not exist: B"), "InvalidRequestError request")
  })

  it("is an InvalidRequestError if all exist: one is there twice", () => {
    assert.strictEqual(missing("Secret not found: blind index ", ["A", "B"]), "InvalidRequestError secrets")
    assert.strictEqual(
      missing("One or more secrets does not exist: A, A, B", ["A", "B"]),
      "InvalidRequestError secrets"
    )
  })
})

describe("A batch that creates what exists", () => {
  const taken = (message: string, secretNames: ReadonlyArray<string>) => {
    const error = classify(refusal(400, "BadRequest", message), {
      ...requests.secret,
      endpoint: "POST /api/v4/secrets/batch",
      action: "create",
      secretNames
    })
    return error._tag === "AlreadyExistsError" ? error.secretNames ?? [error.secretName ?? "unknown"] : meaningOf(error)
  }

  it("gives the names that are taken, unless a name has the comma that the list has between names", () => {
    assert.deepStrictEqual(taken("Secret already exists: B,C", ["A", "B", "C"]), ["B", "C"])
    assert.deepStrictEqual(taken("Secret already exists: A,B", ["A", "A,B"]), ["unknown"])
  })
})

describe("A refused move", () => {
  const refused = (status: number, message: string, secretPath = "/to") =>
    classify(refusal(status, status === 404 ? "NotFound" : "BadRequest", message), {
      endpoint: "POST /api/v4/secrets/move",
      action: "update",
      environment: "dev",
      secretPath: "/from",
      destination: { environment: "prod", secretPath }
    })
  const missing = (which: string, environment: string, path: string) =>
    refused(404, `${which} folder with path '${path}' in environment with slug '${environment}' not found`, path)

  it("says which of the two folders does not exist", () => {
    assert.include(missing("Destination", "prod", "/to"), {
      _tag: "NotFoundError",
      resource: "folder",
      environment: "prod",
      secretPath: "/to"
    })
    assert.include(missing("Destination", "prod", "/"), {
      _tag: "NotFoundError",
      resource: "environment",
      environment: "prod"
    })
    assert.include(missing("Source", "dev", "/from"), {
      _tag: "NotFoundError",
      resource: "folder",
      environment: "dev",
      secretPath: "/from"
    })
  })

  it("says where a name is taken", () => {
    for (
      const message of [
        "Failed to move secrets. The following secrets already exist in the destination: A",
        "Selected secrets already exist in the destination."
      ]
    ) {
      assert.include(refused(400, message), {
        _tag: "AlreadyExistsError",
        resource: "secret",
        environment: "prod",
        secretPath: "/to"
      })
    }
  })

  it("says where the secrets are not, which is the source", () => {
    assert.include(refused(404, "One or more secrets not found in source folder with path '/from' and slug 'dev'"), {
      _tag: "NotFoundError",
      resource: "secret",
      environment: "dev",
      secretPath: "/from"
    })
  })
})

describe("A refusal about a folder or an import", () => {
  it("says folder or import, and which", () => {
    const folder = classify(refusal(400, "BadRequest", "Folder with name 'new' already exists in path '/app'"), {
      ...requests.folder
    })
    assert.strictEqual(
      folder.message,
      "There already is a folder \"new\" in environment \"dev\" at path \"/app\". Use it, or choose another name."
    )
    const refused = classify(
      refusal(403, "PermissionDenied", "You are not allowed to create on secrets"),
      requests.folder
    )
    assert.include(refused.message, "may not create folders in environment \"dev\" at path \"/app\"")
    const unknown = classify(refusal(404, "NotFound", "Failed to delete folder with ID 'old', not found"), {
      endpoint: "DELETE /api/v1/folders/:id",
      action: "delete",
      id: "old",
      environment: "dev",
      secretPath: "/app"
    })
    assert.include(unknown.message, "There is no folder \"old\" in environment \"dev\" at path \"/app\"")
    const source = classify(refusal(404, "NotFound", "The requested entity is not found"), requests.import)
    assert.include(source.message, "There is no environment \"staging\"")
  })

  it("takes a failure for an id that is no UUID, and for nothing else", () => {
    const removal = (id: string) =>
      meaningOf(classify(refusal(500, "Delete", "Something went wrong"), {
        endpoint: "DELETE /api/v1/secret-imports/:id",
        action: "delete",
        id
      }))
    assert.strictEqual(removal("nothing"), "InvalidRequestError id")
    assert.strictEqual(removal("5a1d0c9e-0000-4000-8000-000000000001"), "NetworkError ServerFailure")
  })

  it("is about the environment if the root folder is missing, since every environment has one", () => {
    const missing = (secretPath: string, path = secretPath) =>
      meaningOf(classify(
        refusal(404, "CreateSecret", `Folder with path '${path}' in environment with slug 'qa' not found`),
        { ...requests.secret, secretPath }
      ))
    assert.strictEqual(missing("/"), "NotFoundError environment")
    assert.strictEqual(missing("/app"), "NotFoundError folder")
    assert.strictEqual(missing("/", "/app"), "NotFoundError folder")
  })
})

describe("A validation failure of a server of 2026", () => {
  it("names the field, and nothing that is no field's name", () => {
    const failure = (fieldErrors: unknown) =>
      classify(refusal(400, "ValidationFailure", "Validation failed", { fieldErrors }), requests.secret)
    const error = failure([{ field: "secrets[0].secretKey", message: "planted" }, {
      field: "environment",
      message: "x"
    }])
    assert.strictEqual(meaningOf(error), "InvalidRequestError secrets.0.secretKey")
    assert.include(error.message, "environment is invalid")
    assert.notInclude(error.message, "planted")
    for (const odd of [[{ field: "a planted field" }], [{ field: 1 }], "planted", [null]]) {
      assert.strictEqual(meaningOf(failure(odd)), "InvalidRequestError request")
      assert.notInclude(failure(odd).message, "planted")
    }
  })
})
