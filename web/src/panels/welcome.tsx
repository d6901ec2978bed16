/** A workspace that has no event yet: how to get the first one in. */
const EXAMPLE_EVENT =
  '{"type":"message.received","at":"2026-01-31T09:00:00Z","channel":"sms","address":"+15005550006","conversation_id":"c1","message_id":"m1","text":"Hello"}';

export function Welcome() {
  const now = new Date().toISOString().replace(/\.\d+/u, "");
  const command = [
    `curl ${location.origin}/v1/events \\`,
    `  -H "Authorization: Bearer $TICKERTAPE_KEY" \\`,
    `  -H "Content-Type: application/json" \\`,
    `  -d '${EXAMPLE_EVENT.replace("2026-01-31T09:00:00Z", now)}'`,
  ].join("\n");
  return (
    <section class="panel welcome" aria-labelledby="welcome">
      <h2 id="welcome">No event yet</h2>
      <p>This page fills as events arrive, without a reload. Make a key for sending events:</p>
      <pre tabIndex={0} aria-label="Command that makes a key">
        <code>tickertape keys create my-first-source --scope ingest</code>
      </pre>
      <p>Then send the first event:</p>
      <pre tabIndex={0} aria-label="Command that sends the first event">
        <code>{command}</code>
      </pre>
      <p>Or look around with a sample workspace and simulated live traffic:</p>
      <pre tabIndex={0} aria-label="Command that loads demo data">
        <code>tickertape demo</code>
      </pre>
    </section>
  );
}
