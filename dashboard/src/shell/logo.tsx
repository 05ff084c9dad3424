import { Group, Text } from "@mantine/core";

/** The pennant and the name. */
export function Logo({ withName = true, size = 28 }: { withName?: boolean; size?: number }) {
  return (
    <Group gap={8} wrap="nowrap">
      <img src="/burgee.svg" width={size} height={size} alt={withName ? "" : "Burgee"} />
      {withName && (
        <Text fw={700} fz={size * 0.62} lh={1}>
          Burgee
        </Text>
      )}
    </Group>
  );
}
