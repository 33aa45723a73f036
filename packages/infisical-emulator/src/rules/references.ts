/**
 * References in values, replaced by the server: `${NAME}` to a secret of the same folder, `${env.folder.NAME}` to one of
 * another. A reference to nothing stays as written.
 */
/** A secret in plain text, and where it is. */
export interface Plain {
  readonly environment: string
  readonly secretPath: string
  readonly name: string
  readonly value: string
}

/** How far references are followed. */
export interface Limits {
  readonly depth: number
  /** Whether a reference is followed that leads back to where it came from. */
  readonly cycles: boolean
}

/** Replaces those in a value by what a lookup finds; it is given the folder to look in. */
export const expand = (
  plain: Plain,
  lookup: (environment: string, path: string, name: string) => string | undefined,
  limits: Limits,
  within: ReadonlyArray<string> = []
): string =>
  plain.value.replace(/\$\{([^{}]+)\}/g, (written, reference: string) => {
    const parts = reference.split(".")
    const isLocal = parts.length === 1
    const environment = isLocal ? plain.environment : parts[0] ?? ""
    const secretPath = isLocal ? plain.secretPath : `/${parts.slice(1, -1).join("/")}`
    const name = parts.at(-1) ?? ""
    const key = JSON.stringify([environment, secretPath, name])
    if (within.length >= limits.depth || (!limits.cycles && within.includes(key))) return written
    const value = lookup(environment, secretPath, name)
    return value === undefined
      ? written
      : expand({ environment, secretPath, name, value }, lookup, limits, [...within, key])
  })
