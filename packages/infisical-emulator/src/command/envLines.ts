/** The lines of a `.env` file, as dotenv, Node and a shell read them. */
import { parseEnv } from "node:util"

/** The variables of one credential, and what it is. */
export interface Section {
  readonly title: string
  readonly variables: ReadonlyArray<readonly [name: string, value: string]>
}

/** `NAME=value`, quoted if necessary, or a comment where no quotes fit. */
export const assignment = (name: string, value: string): string => {
  const written = [...(/^[\w./:@+=-]*$/.test(value) ? [value] : []), ...quotings(value)].find((text) =>
    parseEnv(`X=${text}`)["X"] === value
  )
  return written === undefined ? `# ${name} cannot be written in a .env file.` : `${name}=${written}`
}

const quotings = (value: string): ReadonlyArray<string> => [
  `'${value}'`,
  // Within these, a shell and some parsers look for variables and escapes.
  ...(/[$`\\!]/.test(value) ? [] : [`"${value}"`]),
  `\`${value}\``
]

/** The text as comments, a line at a time. */
export const comment = (text: string): string => text.split(/\r\n|\r|\n/).map((line) => `# ${line}`).join("\n")

/** The first section as it is, and all others commented out, since a client accepts one credential only. */
export const alternatives = (sections: ReadonlyArray<Section>): ReadonlyArray<string> =>
  sections.flatMap(({ title, variables }, index) => {
    const lines = variables.map(([name, value]) => assignment(name, value))
    return index === 0
      ? ["", comment(title), ...lines]
      : ["", comment(`Instead of the above: ${title}`), ...lines.map(comment)]
  })
