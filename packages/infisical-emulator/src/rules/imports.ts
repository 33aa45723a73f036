/** What folders import, flattened as the server does it: one entry for each import, deeper ones within it. */
import * as Option from "effect/Option"
import * as EmulatorState from "../state/EmulatorState.js"
import type * as World from "../world/World.js"

/** An import, and the folder that has it. */
export interface Imported {
  readonly into: EmulatorState.Folder
  readonly from: World.Import
}

/** What one import gives. Its folder is the one the secrets came from, which the label may not name. */
export interface Entry {
  readonly into: EmulatorState.Folder
  readonly environment: string
  readonly secretPath: string
  readonly folderId: string | undefined
  readonly secrets: ReadonlyArray<{ readonly environment: string; readonly secret: EmulatorState.Secret }>
}

/** The server does not follow imports any deeper. */
const deepest = 10

/** The imports of several folders: first the first one of each, then the second ones. */
export const inOrder = (folders: ReadonlyArray<EmulatorState.Folder>): ReadonlyArray<Imported> =>
  folders
    .flatMap((into) => into.imports.map((from, position) => ({ into, from, position })))
    .toSorted((left, right) => left.position - right.position)

/**
 * The entries of these imports, in their order.
 *
 * Level by level: what an upper level has imported, a lower one does not import again, which ends every cycle.
 */
export const flatten = (
  project: EmulatorState.Project,
  imports: ReadonlyArray<Imported>,
  depth: number = 0,
  seen: ReadonlySet<string> = new Set()
): ReadonlyArray<Entry> => {
  if (depth >= deepest) return []
  const fresh = imports.filter(({ from }) => !seen.has(label(from)))
  const sources = fresh.map(({ from }) => EmulatorState.findFolder(project, from.environment, from.path))
  // A server's defect, kept: where a source is gone, each later label gets the secrets of the source after its own.
  const found = sources.flatMap((source) => Option.isSome(source) ? [source.value] : [])
  if (found.length === 0) return []

  const deeper = flatten(
    project,
    inOrder(found),
    depth + 1,
    new Set([...seen, ...fresh.map(({ from }) => label(from))])
  )

  return fresh.map(({ from, into }, index) => {
    const own = found[index]
    const labelled = sources[index]?.pipe(Option.getOrUndefined)
    // Another one, kept: of what a folder imports in turn, only the first import is passed on.
    const passedOn = deeper.find((entry) => entry.into.id === labelled?.id)
    return {
      into,
      environment: from.environment,
      secretPath: from.path,
      folderId: own?.id,
      secrets: [
        ...(own?.secrets ?? [])
          .toSorted((left, right) => left.row.id < right.row.id ? -1 : left.row.id > right.row.id ? 1 : 0)
          .filter(({ row }) => row.type === "shared")
          .map((secret) => ({ environment: from.environment, secret })),
        ...(passedOn?.secrets ?? [])
      ]
    }
  })
}

const label = (from: World.Import): string => JSON.stringify([from.environment, from.path])
