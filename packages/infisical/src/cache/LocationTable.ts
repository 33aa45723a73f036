/**
 * Locations by the options that make them, so that a warm read with options does not check and build its location again.
 */
import type * as Location from "../model/Location.js"

/** The options of a location that can be looked up. Others, such as tags, are checked with every read. */
export type LookupOptions =
  & Pick<
    Location.Options,
    "includeImports" | "recursive" | "expandReferences" | "tagSlugs" | "metadata" | "version"
  >
  & {
    readonly environment?: string | undefined
    readonly secretPath?: string | undefined
  }

export interface LocationTable {
  readonly find: (options: LookupOptions) => Location.Location | undefined
  readonly add: (options: LookupOptions, location: Location.Location) => void
}

/** More than any program has; then the table begins again. */
const capacity = 1024

export const make = (defaults: Location.Location): LocationTable => {
  // Two maps deep, since the hash of each text is known, and that of a joined text is not.
  const environments = new Map<string, Map<string, Array<Location.Location | undefined>>>()
  let size = 0

  const flags = ({ expandReferences, includeImports, recursive }: LookupOptions): number =>
    (includeImports === false ? 0 : 1) + (recursive === true ? 2 : 0) +
    ((expandReferences ?? defaults.expandReferences) ? 4 : 0)

  const isPlain = ({ metadata, tagSlugs, version }: LookupOptions): boolean =>
    metadata === undefined && tagSlugs === undefined && version === undefined

  return {
    find: (options) =>
      isPlain(options)
        ? environments.get(options.environment ?? defaults.environment)
          ?.get(options.secretPath ?? defaults.secretPath)?.[flags(options)]
        : undefined,
    add: (options, location) => {
      if (!isPlain(options)) return
      if (++size > capacity) {
        environments.clear()
        size = 1
      }
      const environment = options.environment ?? defaults.environment
      const secretPath = options.secretPath ?? defaults.secretPath
      const paths = environments.get(environment) ?? new Map<string, Array<Location.Location | undefined>>()
      const locations = paths.get(secretPath) ?? []
      locations[flags(options)] = location
      paths.set(secretPath, locations)
      environments.set(environment, paths)
    }
  }
}
