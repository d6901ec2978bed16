/** Channels as people call them. One chip may stand for several channels of the API. */

export interface ChannelChip {
  id: string;
  label: string;
  channels: readonly string[];
}

export const CHIPS: readonly ChannelChip[] = [
  { id: "sms", label: "SMS", channels: ["sms", "mms"] },
  { id: "rcs", label: "RCS", channels: ["rcs"] },
  { id: "whatsapp", label: "WhatsApp", channels: ["whatsapp"] },
  { id: "email", label: "Email", channels: ["email"] },
  { id: "live-chat", label: "Live chat", channels: ["webchat"] },
  { id: "push", label: "Push", channels: ["push"] },
  { id: "in-app", label: "In-app", channels: ["in_app"] },
  { id: "social", label: "Social", channels: ["messenger", "instagram", "telegram"] },
  { id: "other", label: "Other", channels: ["other"] },
];

const NAMES: Record<string, string> = {
  sms: "SMS",
  mms: "MMS",
  rcs: "RCS",
  whatsapp: "WhatsApp",
  email: "Email",
  webchat: "Live chat",
  push: "Push",
  in_app: "In-app",
  messenger: "Messenger",
  instagram: "Instagram",
  telegram: "Telegram",
  other: "Other",
};

export function channelName(value: unknown): string {
  return value === null || value === undefined || value === "" ? "(none)" : (NAMES[String(value)] ?? String(value));
}

/** The API's channel filter for a chip id; undefined for all channels and for an id that is not known. */
export function channelFilter(chip: string): string | undefined {
  return CHIPS.find((c) => c.id === chip)?.channels.join(",");
}
