/** Who decrypts in this run of the tests, by the environment variable `TEST_SOURCE`; by default this process. */
import type { InfisicalConfig } from "effect-infisical"

const given = process.env["TEST_SOURCE"]

export const source: InfisicalConfig.SourceKind = given === "v3" || given === "v4" ? given : "end-to-end-encrypted"

export const isEndToEndEncrypted = source === "end-to-end-encrypted"

/** Of a server that has the routes that the run is for. */
export const era = source === "v4" ? "2026" as const : "2024-07" as const
