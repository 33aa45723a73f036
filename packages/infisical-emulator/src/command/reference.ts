/** The API reference, generated from the wire. The page needs nothing from the network. */
import * as HttpApiSwagger from "@effect/platform/HttpApiSwagger"
import type * as HttpApp from "@effect/platform/HttpApp"
import * as HttpLayerRouter from "@effect/platform/HttpLayerRouter"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as OpenApi from "@effect/platform/OpenApi"
import { Wire } from "effect-infisical"
import * as Effect from "effect/Effect"
import * as Record from "effect/Record"
import * as Scope from "effect/Scope"
import * as Eras from "../eras/eras.js"
import type * as World from "../world/World.js"

/** Where it is. */
export const path = "/docs"

/** Gives what puts the page before an app. The page is made when it is first asked for. `/` leads there. */
export const make = (
  era: World.Era
): Effect.Effect<<E>(app: HttpApp.Default<E>) => HttpApp.Default<E>, never, Scope.Scope> =>
  Effect.gen(function*() {
    const scope = yield* Effect.scope
    const page = yield* Effect.cached(Effect.suspend(() =>
      Scope.extend(
        HttpLayerRouter.toHttpEffect(HttpApiSwagger.layerHttpLayerRouter({
          api: Wire.api.annotate(OpenApi.Transform, () => ({ ...specification(era) })),
          path
        })),
        scope
      )
    ))
    return (app) =>
      Effect.flatMap(HttpServerRequest.HttpServerRequest, ({ method, url }) =>
        method !== "GET"
          ? app
          : url === "/"
          ? Effect.succeed(HttpServerResponse.redirect(path))
          : url === path
          ? Effect.orElse(Effect.scoped(Effect.flatten(page)), () => app)
          : app)
  })

const about = (era: World.Era): string =>
  `This server is effect-infisical-emulator, for development and tests. It is not Infisical, and no vault: nothing in it is protected.

It plays Infisical of era \`${era}\`: its routes, statuses and messages are those of servers of that age. Operations that such a server does not have are not listed. The statuses of refusals are not part of this description.

**Authorization.** Send \`Authorization: Bearer <token>\`. The token is the access token that a login answers, such as \`POST /api/v1/auth/universal-auth/login\` with the client id and the client secret of a machine identity, or a service token without its last part, which is the project's key. The server prints both when it starts. Here, press Authorize and enter the token without the word Bearer.`

/** The description of the API of this era. */
export const specification = (era: World.Era): OpenApi.OpenAPISpec => {
  const generated = OpenApi.fromApi(Wire.api)
  const served = Record.filter(
    generated.paths,
    (_, path) => Eras.hasRoute(era, path.replaceAll(/\{(\w+)\}/g, ":$1"))
  )
  return {
    ...generated,
    info: { title: "effect-infisical-emulator", version: era, description: about(era) },
    components: {
      ...generated.components,
      securitySchemes: {
        bearer: { type: "http", scheme: "bearer", description: "An access token, or a service token without its key" }
      }
    },
    paths: Record.map(
      served,
      (item) => Object.fromEntries(Object.entries(item).map(([method, operation]) => [method, described(operation)]))
    )
  }
}

const described = (operation: OpenApi.OpenAPISpecOperation): OpenApi.OpenAPISpecOperation => {
  const description = descriptions[operation.operationId.replace(/^.*\./, "")]
  const parameters = operation.parameters.filter(({ name }) => name !== "authorization")
  return {
    ...operation,
    ...(description !== undefined && { summary: description, description }),
    parameters,
    // OpenAPI ignores a header parameter of this name.
    security: parameters.length === operation.parameters.length ? [] : [{ bearer: [] }]
  }
}

const login = (proof: string): string => `Logs in a machine identity with ${proof}, and answers an access token`

/** By the names of the wire's endpoints. */
const descriptions: Readonly<Record<string, string | undefined>> = {
  getServiceToken: "Answers the service token of the request: its project, its scopes, and the encrypted project key",
  getServiceTokenKey: "Answers the project key of a service token v3, encrypted for its public key",
  loginUniversalAuth: login("a client id and a client secret"),
  loginKubernetesAuth: login("the JWT of a Kubernetes service account"),
  loginGcpAuth: login("an identity token of Google Cloud"),
  loginAzureAuth: login("a JWT of Azure"),
  loginOidcAuth: login("a JWT of an OpenID Connect provider"),
  loginJwtAuth: login("a JWT"),
  loginSpiffeAuth: login("a JWT-SVID of SPIFFE"),
  loginLdapAuth: login("a user name and a password of LDAP"),
  loginAwsAuth: login("a signed request for AWS's GetCallerIdentity"),
  renewAccessToken: "Renews an access token, unless it has reached its maximum lifetime",
  revokeAccessToken: "Revokes an access token",
  listSecrets: "Lists the secrets of a folder, with imports if asked, encrypted with the project key",
  getSecret: "Answers one secret, encrypted with the project key",
  createSecret: "Creates a secret that the client encrypted",
  updateSecret: "Changes a secret that the client encrypted",
  deleteSecret: "Deletes a secret, and answers it encrypted",
  createSecrets: "Creates several secrets that the client encrypted, or none",
  updateSecrets: "Changes several secrets that the client encrypted, or none",
  deleteSecrets: "Deletes several secrets, or none, and answers them encrypted",
  listRawSecrets: "Lists the secrets of a folder with their values, with imports if asked",
  getRawSecret: "Answers one secret with its value",
  createRawSecret: "Creates a secret",
  updateRawSecret: "Changes a secret",
  deleteRawSecret: "Deletes a secret, and answers it",
  createRawSecrets: "Creates several secrets, or none",
  updateRawSecrets: "Changes several secrets, or none",
  deleteRawSecrets: "Deletes several secrets, or none, and answers them",
  listSecretsV4: "Lists the secrets of a folder with their values, with imports if asked",
  getSecretV4: "Answers one secret with its value",
  createSecretV4: "Creates a secret",
  updateSecretV4: "Changes a secret",
  deleteSecretV4: "Deletes a secret, and answers it",
  createSecretsV4: "Creates several secrets, or none",
  updateSecretsV4: "Changes several secrets, or none; with mode upsert it creates the missing ones",
  deleteSecretsV4: "Deletes several secrets, or none, and answers them",
  listFolders: "Lists the folders in a folder",
  createFolder: "Creates a folder, and those on the way to it",
  renameFolder: "Renames a folder",
  deleteFolder: "Deletes a folder with everything in it",
  listSecretImports: "Lists what a folder imports, in the order in which it applies",
  createSecretImport: "Makes a folder import the secrets of another",
  deleteSecretImport: "Removes an import from a folder",
  updateSecretImport: "Makes an import name another folder, or moves it among the imports of its folder",
  loginOciAuth: login("the headers of a signed request for the user in Oracle Cloud"),
  loginAliCloudAuth: login("the parameters of a signed GetCallerIdentity of Alibaba Cloud"),
  loginTlsCertificate: login("the client certificate of its connection"),
  getSecretByIdV4: "Answers one secret with its value, by its id; the answer has no secretValueHidden",
  moveSecretsV4: "Moves secrets to another folder, by their ids, and answers which of the two folders changed",
  listFoldersV2: "Lists the folders in a folder; with recursive, all folders below it, with their paths",
  createFolderV2: "Creates a folder, and those on the way to it; refuses a name that is taken",
  renameFolderV2: "Renames a folder, by its id",
  deleteFolderV2: "Deletes a folder, by its id or its name; one that is not empty only with forceDelete",
  listSecretImportsV2:
    "Lists what a folder imports, by position; of secrets with the same name, that of the last import applies",
  createSecretImportV2: "Makes a folder import the secrets of another, after its other imports",
  updateSecretImportV2: "Makes an import name another folder, or moves it among the imports of its folder",
  deleteSecretImportV2: "Removes an import from a folder"
}
