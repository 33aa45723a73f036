/**
 * A machine identity on Kubernetes. The pod logs in with the token of its service account: a file that Kubernetes
 * replaces before the token expires. The file is read at each login, so a new token needs no restart.
 *
 *     npm run example -- kubernetes
 *
 * The pod's part of it. Without the volume and the last variable, the pod's usual token is used.
 *
 *     containers:
 *       - env:
 *           - { name: INFISICAL_PROJECT_ID, value: <project id> }
 *           - { name: INFISICAL_KUBERNETES_IDENTITY_ID, value: <identity id> }
 *           - { name: INFISICAL_KUBERNETES_SERVICE_ACCOUNT_TOKEN_PATH, value: /var/run/secrets/infisical/token }
 *         volumeMounts:
 *           - { name: infisical, mountPath: /var/run/secrets/infisical, readOnly: true }
 *     volumes:
 *       - name: infisical
 *         projected:
 *           sources:
 *             - serviceAccountToken: { path: token, audience: infisical, expirationSeconds: 3600 }
 */
import { FetchHttpClient } from "@effect/platform"
import { NodeRuntime } from "@effect/platform-node"
import { Effect, Layer, Stream } from "effect"
import { Secrets } from "effect-infisical"
import { NodeInfisical } from "effect-infisical-node"

/** Runs until it is stopped, with one log in at the start and one whenever the access token ends. */
const program = Effect.gen(function*() {
  const secrets = yield* Secrets.Secrets
  yield* secrets.watch("DATABASE_URL").pipe(
    Stream.runForEach(({ name, version }) => Effect.log(`${name}, version ${version}`))
  )
})

/** The same as everywhere: the variables choose the login. */
const InfisicalLive = NodeInfisical.layerConfig().pipe(Layer.provide(FetchHttpClient.layer))

export const main = Effect.provide(program, InfisicalLive)

if (process.argv[1] === import.meta.filename) NodeRuntime.runMain(main)
