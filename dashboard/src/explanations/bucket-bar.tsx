/** Where somebody fell between 0 and 100 %, and whose share that is. */
import { Box, Group, Text } from "@mantine/core";

export interface Share {
  label: string;
  start: number;
  end: number;
  chosen: boolean;
}

interface BucketBarProps {
  bucket: number;
  shares: Share[];
}

const COLOURS = ["harbour", "teal", "orange", "grape", "cyan", "lime"];

function colour(index: number): string {
  return `var(--mantine-color-${COLOURS[index % COLOURS.length]}-filled)`;
}

function percent(value: number): string {
  return `${Math.round(value * 100) / 100} %`;
}

export function BucketBar({ bucket, shares }: BucketBarProps) {
  const chosen = shares.find((share) => share.chosen);
  const told = `Bucket ${percent(bucket)}${chosen ? `, in the share of ${chosen.label}` : ""}`;
  return (
    <Box maw={480}>
      <Box role="img" aria-label={told} pos="relative" h={22} data-testid="bucket">
        <Box
          pos="absolute"
          top={6}
          w="100%"
          h={10}
          style={{ borderRadius: 5, overflow: "hidden", background: "var(--mantine-color-default-border)" }}
        >
          {shares.map((share, index) => (
            <Box
              key={`${share.label} ${share.start}`}
              pos="absolute"
              h="100%"
              left={`${share.start}%`}
              w={`${Math.min(share.end, 100) - share.start}%`}
              style={{ background: colour(index), opacity: share.chosen ? 1 : 0.45 }}
            />
          ))}
        </Box>
        <Box
          pos="absolute"
          top={0}
          h={22}
          w={3}
          left={`calc(${bucket}% - 1px)`}
          style={{ borderRadius: 2, background: "var(--mantine-color-text)" }}
        />
      </Box>
      <Group gap="md" aria-hidden>
        {shares.map((share, index) => (
          <Group key={`${share.label} ${share.start}`} gap={6} wrap="nowrap">
            <Box w={8} h={8} style={{ borderRadius: 4, background: colour(index) }} />
            <Text size="xs" fw={share.chosen ? 700 : 400}>
              {share.label}: {percent(share.start)} to {percent(share.end)}
            </Text>
          </Group>
        ))}
        <Text size="xs" fw={600}>
          bucket {percent(bucket)}
        </Text>
      </Group>
    </Box>
  );
}
