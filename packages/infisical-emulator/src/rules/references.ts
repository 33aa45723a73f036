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
  plain.value.replace(pattern, (written, reference: string) => {
    const { environment, name, secretPath } = targetOf(plain, reference)
    const key = JSON.stringify([environment, secretPath, name])
    if (within.length >= limits.depth || (!limits.cycles && within.includes(key))) return written
    const value = lookup(environment, secretPath, name)
    return value === undefined
      ? written
      : expand({ environment, secretPath, name, value }, lookup, limits, [...within, key])
  })

/** A secret by its old name, and its new one. */
export interface Rename extends Omit<Plain, "value"> {
  readonly newName: string
}

/** Gives references to a renamed secret its new name. */
export const renamed = (plain: Plain, rename: Rename): string =>
  plain.value.replace(pattern, (written, reference: string) => {
    const { environment, name, secretPath } = targetOf(plain, reference)
    return environment === rename.environment && secretPath === rename.secretPath && name === rename.name
      ? `\${${reference.slice(0, reference.length - name.length)}${rename.newName}}`
      : written
  })

const pattern = /\$\{([^{}]+)\}/g

const targetOf = (plain: Plain, reference: string): Omit<Plain, "value"> => {
  const parts = reference.split(".")
  const isLocal = parts.length === 1
  return {
    environment: isLocal ? plain.environment : parts[0] ?? "",
    secretPath: isLocal ? plain.secretPath : `/${parts.slice(1, -1).join("/")}`,
    name: parts.at(-1) ?? ""
  }
}
