/** A moment: how long ago, and exactly when for those who point at it. */
import { Text, type TextProps, Tooltip } from "@mantine/core";
import dayjs from "dayjs";
import relativeTime from "dayjs/plugin/relativeTime";

dayjs.extend(relativeTime);

export function exactly(time: string): string {
  return new Date(time).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
}

export function Time({ at, ...rest }: { at: string | null | undefined } & TextProps) {
  if (!at)
    return (
      <Text span inherit {...rest}>
        never
      </Text>
    );
  return (
    <Tooltip label={exactly(at)}>
      <Text span inherit {...rest}>
        <time dateTime={at}>{dayjs(at).fromNow()}</time>
      </Text>
    </Tooltip>
  );
}

/** The value of a `datetime-local` field for a moment, in the user's own time zone. */
export function toLocalField(time: Date): string {
  return dayjs(time).format("YYYY-MM-DDTHH:mm");
}
