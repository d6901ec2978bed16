/** A row of choices of which one is pressed: one tab stop, arrows move inside. */
import { useRef } from "preact/hooks";

interface Props {
  label: string;
  name: string;
  look: "segments" | "chips";
  options: readonly { id: string; label: string }[];
  chosen: string;
  choose: (id: string) => void;
}

const MOVES: Record<string, (index: number, count: number) => number> = {
  ArrowRight: (index, count) => (index + 1) % count,
  ArrowLeft: (index, count) => (index - 1 + count) % count,
  Home: () => 0,
  End: (_, count) => count - 1,
};

export function Toolbar({ label, name, look, options, chosen, choose }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const pressed = Math.max(0, options.findIndex((option) => option.id === chosen));
  const press = (event: KeyboardEvent): void => {
    const buttons = [...box.current!.querySelectorAll("button")];
    const index = buttons.indexOf(event.target as HTMLButtonElement);
    const move = MOVES[event.key];
    if (!move || index < 0) return;
    event.preventDefault();
    buttons[move(index, buttons.length)]!.focus();
  };
  // Roving: the tab stop goes with the focus, so that coming back returns to where one was.
  const rove = (event: FocusEvent): void => {
    for (const button of box.current!.querySelectorAll("button")) button.tabIndex = button === event.target ? 0 : -1;
  };
  return (
    <div class={look} role="toolbar" aria-label={label} data-name={name} ref={box} onKeyDown={press} onFocusIn={rove}>
      {options.map((option, index) => (
        <button
          key={option.id}
          class={look === "chips" ? "chip" : ""}
          data-id={option.id}
          aria-pressed={option.id === chosen}
          tabIndex={index === pressed ? 0 : -1}
          onClick={() => choose(option.id)}
        >
          {option.label}
        </button>
      ))}
    </div>
  );
}
