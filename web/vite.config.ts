import { defineConfig, type Plugin } from "vite";
import { FIRST_QUESTION } from "./src/questions.ts";

/** The server answers the page's first question inside the HTML, so it must be told which question that is. */
const firstQuestion = (): Plugin => ({
  name: "first-question",
  generateBundle() {
    this.emitFile({ type: "asset", fileName: "first-question.json", source: JSON.stringify(FIRST_QUESTION) });
  },
});

export default defineConfig({
  plugins: [firstQuestion()],
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    outDir: "../src/tickertape/dashboard/static",
    emptyOutDir: true,
    target: "es2022",
    // light-dark() keeps one table of colours for both themes; older targets would have it written out twice.
    cssTarget: ["chrome123", "firefox120", "safari17.5"],
    // The polyfill and inlined assets would need a looser Content-Security-Policy.
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    rolldownOptions: { input: { index: "index.html", signin: "signin.html" } },
  },
});
