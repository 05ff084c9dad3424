/** The guard rails of a sync: what holds a run before it sends anything. */
import { NumberInput, SimpleGrid, Stack, Switch } from "@mantine/core";
import { GUARDS, type Guards } from "./sync-content";
import type { PartProps } from "./target-fields";

export function GuardFields({ sync, onChange }: PartProps) {
  const guards: Guards = { ...GUARDS, ...sync.guards };
  const set = (change: Partial<Guards>) => onChange({ guards: { ...guards, ...change } });
  const removes = sync.mode === "mirror";
  return (
    <Stack>
      {removes && (
        <SimpleGrid cols={{ base: 1, sm: 2 }}>
          <NumberInput
            label="Removes at most"
            description="Of the members that are known. More is held."
            suffix=" %"
            min={0}
            max={100}
            value={guards.max_remove_pct}
            onChange={(value) => set({ max_remove_pct: Number(value) || 0 })}
          />
          <NumberInput
            label="But never minds up to"
            description="So many removals never hold a run, whatever their share."
            suffix=" removals"
            min={0}
            allowDecimal={false}
            thousandSeparator=","
            value={guards.max_remove_min}
            onChange={(value) => set({ max_remove_min: Number(value) || 0 })}
          />
        </SimpleGrid>
      )}
      <NumberInput
        label="Rows that can't be sent, at most"
        description="Without a key, or with one the destination does not take. More is held."
        suffix=" %"
        min={0}
        max={100}
        value={guards.max_invalid_pct}
        onChange={(value) => set({ max_invalid_pct: Number(value) || 0 })}
        maw={420}
      />
      {removes && (
        <Switch
          label="A model without rows may empty the audience"
          description="Otherwise it is held: mostly a table was being rebuilt."
          checked={guards.allow_empty}
          onChange={(event) => set({ allow_empty: event.currentTarget.checked })}
        />
      )}
    </Stack>
  );
}
