/**
 * What the server answers: a status and a body, in the words of a self-hosted server of July 2024.
 *
 * @since 0.1.0
 */
export * from "./accessAnswers.js"
export * from "./folderAnswers.js"
export * from "./moveAnswers.js"
export * from "./requestAnswers.js"
export { type Answer, ok, type ValidationIssue } from "./response.js"
export * from "./secretAnswers.js"
