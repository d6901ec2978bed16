/** Light or dark: the address first, then what was chosen last, then the system. */
import { computed, effect, signal } from "@preact/signals";
import { choices, go } from "../url";

export type Theme = "light" | "dark";
const STORED = "tickertape-theme";

const system = matchMedia("(prefers-color-scheme: dark)");
const systemDark = signal(system.matches);
system.addEventListener("change", () => (systemDark.value = system.matches));

const isTheme = (name: unknown): name is Theme => name === "light" || name === "dark";

function stored(): Theme | null {
  try {
    const name = localStorage.getItem(STORED);
    return isTheme(name) ? name : null;
  } catch {
    return null;
  }
}

const remembered = signal(stored());

export const theme = computed<Theme>(() => {
  const asked = choices.value.theme;
  return isTheme(asked) ? asked : (remembered.value ?? (systemDark.value ? "dark" : "light"));
});

export function startTheme(): void {
  effect(() => {
    document.documentElement.dataset.theme = theme.value;
  });
}

export function switchTheme(): void {
  const next: Theme = theme.value === "dark" ? "light" : "dark";
  try {
    localStorage.setItem(STORED, next);
  } catch {
    // A browser that keeps nothing still has the address.
  }
  remembered.value = next;
  go({ theme: next }, true);
}
