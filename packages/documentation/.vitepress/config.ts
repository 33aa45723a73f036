/** The site: the guides of `packages/infisical/docs`, which also ship in the npm package, and the API reference. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { type DefaultTheme, defineConfig } from "vitepress"
import { guides, llmsTxt } from "../scripts/llms.js"

const source = fileURLToPath(new URL("../../infisical/docs", import.meta.url))

const packages = { "infisical": "effect-infisical", "infisical-node": "Node", "infisical-emulator": "Emulator" }

/** The modules of each package, as `npm run docs` generated them from the docstrings. */
const reference: Array<DefaultTheme.SidebarItem> = Object.entries(packages).map(([folder, text]) => ({
  text,
  collapsed: folder !== "infisical",
  items: readdirSync(`${source}/api/${folder}/src/namespaces`)
    .map((file) => file.replace(/\.md$/, ""))
    .toSorted()
    .map((name) => ({ text: name.replace(/-1$/, ""), link: `/api/${folder}/src/namespaces/${name}` }))
}))

export default defineConfig({
  srcDir: "../infisical/docs",
  title: "effect-infisical",
  description: "Infisical for backends written with Effect",
  lang: "en",
  cleanUrls: true,
  themeConfig: {
    nav: [{ text: "Guides", link: "/start" }, { text: "API", link: "/api/" }],
    sidebar: {
      "/api/": reference,
      "/": guides.map(({ pages, text }) => ({
        text,
        items: pages.map(({ name, title }) => ({ text: title, link: `/${name}` }))
      }))
    },
    outline: [2, 3],
    search: { provider: "local" },
    footer: { message: "MIT" }
  },
  buildEnd: ({ outDir }) => {
    const pages = guides.flatMap(({ pages }) => pages)
    const text = (name: string) => readFileSync(`${source}/${name}.md`, "utf8").replace(/<!--.*?-->\n\n/g, "")
    mkdirSync(outDir, { recursive: true })
    writeFileSync(`${outDir}/llms.txt`, llmsTxt)
    writeFileSync(`${outDir}/llms-full.txt`, pages.map(({ name }) => text(name)).join("\n"))
    for (const { name } of pages) writeFileSync(`${outDir}/${name}.md`, text(name))
  }
})
