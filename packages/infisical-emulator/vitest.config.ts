import { project } from "../../vitest.shared.js"

export default project("effect-infisical-emulator", { runsProcesses: true })
