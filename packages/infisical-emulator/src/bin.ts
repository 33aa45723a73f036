#!/usr/bin/env node
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as Command from "./command/Command.js"

Command.run(process.argv.slice(2)).pipe(
  Effect.tapError(({ message }) => Console.error(message)),
  Effect.tapDefect((cause) => Effect.logError(cause)),
  // What a script may read is on the standard output, what people read beside it.
  Effect.provide([NodeContext.layer, Logger.replace(Logger.defaultLogger, Logger.prettyLogger({ stderr: true }))]),
  NodeRuntime.runMain({ disableErrorReporting: true, disablePrettyLogger: true })
)
