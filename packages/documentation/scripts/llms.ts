/** The guides in their order, for the sidebar and for `llms.txt`. */

interface Guide {
  /** Its file, without `.md`. */
  readonly name: string
  readonly title: string
  readonly description: string
}

export const guides: ReadonlyArray<{ readonly text: string; readonly pages: ReadonlyArray<Guide> }> = [
  {
    text: "Use",
    pages: [
      { name: "start", title: "Start here", description: "Install, first program, layers" },
      { name: "reading", title: "Reading and writing", description: "Every call, imports, references, two projects" },
      { name: "typed-secrets", title: "Typed secrets", description: "Effect's Config, and SecretManifest" },
      { name: "rotation", title: "Rotation", description: "Streams of changes, and pools that are rebuilt" },
      { name: "offline", title: "Offline and outages", description: "Stale values, sealed snapshots, fallback" },
      { name: "identities", title: "Machine identities", description: "Every way to log in" }
    ]
  },
  {
    text: "Test",
    pages: [
      { name: "testing", title: "Testing", description: "Secrets.layerTest, the emulator, outages" },
      { name: "emulator", title: "The emulator", description: "An Infisical for tests and development" }
    ]
  },
  {
    text: "Look up",
    pages: [
      { name: "errors", title: "Errors", description: "Each error, with what it means and what to do" },
      { name: "configuration", title: "Configuration", description: "Every option, default and variable" },
      { name: "security", title: "Security model", description: "What is promised, and what is not" },
      { name: "observability", title: "Observability", description: "Spans, metrics, a dashboard" },
      { name: "migration", title: "Migration", description: "From the Python client, infisical-node, @infisical/sdk" },
      { name: "architecture", title: "Architecture", description: "The parts, in one picture" }
    ]
  }
]

/** An index of the guides for tools that read text: see llmstxt.org. */
export const llmsTxt = `# effect-infisical

> Infisical for backends written with Effect 3: secrets as services and layers, failures as typed errors.

Install: npm install effect@3 @effect/platform@0.97 @effect/platform-node@0.108 effect-infisical effect-infisical-node

${
  guides.map(({ pages, text }) =>
    `## ${text}\n\n${
      pages.map(({ description, name, title }) => `- [${title}](/${name}.md): ${description}`).join("\n")
    }\n`
  ).join("\n")
}`
