import "@fontsource-variable/inter/wght.css";
import "./styles/index.css";
import { render } from "preact";
import { Channels } from "./panels/channels";
import { Drawer } from "./panels/drawer";
import { Failures } from "./panels/failures";
import { Funnel } from "./panels/funnel";
import { Header } from "./panels/header";
import { FirstResponseByHour } from "./panels/response";
import { Sidebar } from "./panels/sidebar";
import { Tiles } from "./panels/tiles";
import { Welcome } from "./panels/welcome";
import { Said } from "./parts/say";
import { startTheme } from "./parts/theme";
import { catalogue, catalogueError, headline, loadCatalogue, newWorkspace, refreshAll, sampleData, startLive, trends } from "./store";

function Notice() {
  const error = catalogueError.value ?? headline.error.value ?? trends.error.value;
  if (!error) return null;
  return (
    <div class="notice" role="alert">
      <span class="bad" aria-hidden="true">
        ◆
      </span>
      <span>
        {error.signedOut
          ? "Your session has ended."
          : `${error === trends.error.value ? "Trend lines" : "Figures"} could not be loaded: ${error.message}.`}
        {headline.answer.value && !error.signedOut && " What loaded before is still shown."}
      </span>
      {error.signedOut ? (
        <a class="button small" href="/">
          Sign in again
        </a>
      ) : (
        <button class="button small" onClick={refreshAll}>
          Retry
        </button>
      )}
    </div>
  );
}

function Page() {
  return (
    <>
      <a class="skip" href="#main">
        Skip to content
      </a>
      <div class="app">
        <Sidebar />
        <div class="content">
          <Header />
          <main id="main" tabIndex={-1}>
            <div class="panels">
              <Notice />
              {sampleData && <p class="sample">Sample data of a made-up company</p>}
              {newWorkspace.value && <Welcome />}
              <Tiles />
              {!newWorkspace.value && (
                <div class="grid">
                  <Funnel />
                  <FirstResponseByHour />
                  <Failures />
                  <Channels />
                </div>
              )}
            </div>
            <Drawer />
          </main>
        </div>
      </div>
      <Said />
    </>
  );
}

startTheme();
render(<Page />, document.getElementById("page")!);
if (!catalogue.value) void loadCatalogue();
startLive();
