import { Brand, Icon } from "../parts/marks";

/** Only pages that exist: a further page is a further row. */
const PAGES = [{ href: "/", label: "Overview", icon: "grid" }] as const;

export function Sidebar() {
  return (
    <nav class="side" aria-label="Main">
      <Brand />
      {PAGES.map(({ href, label, icon }) => (
        <a key={href} class="page" href={href} aria-current={location.pathname === href ? "page" : undefined}>
          <Icon name={icon} />
          {label}
        </a>
      ))}
    </nav>
  );
}
