/**
 * References in values, replaced by the server: `${NAME}` to a secret of the same folder, `${env.folder.NAME}` to one of
 * another. A reference to nothing stays as it is written.
 */
/** A secret in plain text, and where it is. */
export interface Plain {
  readonly environment: string
  readonly secretPath: string
  readonly name: string
  readonly value: string
}

/** The server does not follow references any deeper. */
const deepest = 10

/** Replaces those in a value by what a lookup finds; it is given the folder to look in. */
export const expand = (
  plain: Plain,
  lookup: (environment: string, path: string, name: string) => string | undefined,
  within: ReadonlyArray<string> = []
): string =>
  plain.value.replace(/\$\{([^{}]+)\}/g, (written, reference: string) => {
    const parts = reference.split(".")
    const isLocal = parts.length === 1
    const environment = isLocal ? plain.environment : parts[0] ?? ""
    const secretPath = isLocal ? plain.secretPath : `/${parts.slice(1, -1).join("/")}`
    const name = parts.at(-1) ?? ""
    const key = JSON.stringify([environment, secretPath, name])
    if (within.includes(key) || within.length >= deepest) return written
    const value = lookup(environment, secretPath, name)
    return value === undefined ? written : expand({ environment, secretPath, name, value }, lookup, [...within, key])
  })
