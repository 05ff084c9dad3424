/** Two texts, line by line: what went and what came. */
import { Box } from "@mantine/core";
import { diffLines } from "diff";

const SIGNS = { removed: "−", added: "+", kept: " " } as const;
const COLOURS = {
  removed: "var(--mantine-color-red-light)",
  added: "var(--mantine-color-teal-light)",
  kept: undefined,
} as const;

export function TextDiff({ before, after }: { before: string; after: string }) {
  const parts = diffLines(before, after);
  let line = 0;
  return (
    <Box
      component="pre"
      tabIndex={0}
      aria-label="Differences"
      className="mono"
      m={0}
      p="xs"
      style={{
        overflowX: "auto",
        border: "1px solid var(--burgee-line)",
        borderRadius: "var(--mantine-radius-sm)",
      }}
    >
      {parts.flatMap((part) => {
        const kind = part.removed ? "removed" : part.added ? "added" : "kept";
        return part.value
          .replace(/\n$/, "")
          .split("\n")
          .map((text) => {
            line += 1;
            return (
              <Box
                component="span"
                key={line}
                display="block"
                bg={COLOURS[kind]}
                style={{ whiteSpace: "pre-wrap" }}
              >
                {SIGNS[kind]} {text}
              </Box>
            );
          });
      })}
    </Box>
  );
}
