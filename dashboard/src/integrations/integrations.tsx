/** The integrations that can be set up for an organisation, a project or an environment. */
import { Badge, Button, Card, Group, Modal, SimpleGrid, Stack, Text } from "@mantine/core";
import { useState } from "react";
import { useAct } from "~/api/act";
import { useOwnFlag } from "~/own-flags/client";
import { hasIntegration } from "~/own-flags/gates";
import { Confirm } from "~/parts/confirm";
import { Section } from "~/parts/section";
import { Loaded } from "~/parts/states";
import { type Configuration, type Owner, remove, useConfigured } from "./calls";
import { Deliveries } from "./deliveries";
import { IntegrationForm } from "./form";
import { Mark } from "./mark";
import { BELOW, type Integration, integrationsOf, type Told } from "./table";

const TOLD: Record<Told, { label: string; explained: string }> = {
  changes: {
    label: "Told of changes",
    explained:
      "Every line of the audit log about features, their states, versions and segments. What can't be delivered is tried again for some five hours.",
  },
  identities: {
    label: "Told of identities",
    explained:
      "Each identity that SDKs ask the flags of, with what it is given: a feature's value, or whether it is on. Beside the answer, which does not wait for it.",
  },
  asked: { label: "Asked", explained: "Told nothing; looked into when somebody links a feature." },
};

interface CardProps {
  integration: Integration;
  configuration: Configuration | null;
  mayChange: boolean;
  onEdit: () => void;
  onLook: () => void;
  onRemove: () => void;
}

function IntegrationCard({ integration, configuration, mayChange, onEdit, onLook, onRemove }: CardProps) {
  const isOff = configuration?.enabled === false;
  return (
    <Card withBorder padding="md">
      <Stack gap="sm" h="100%">
        <Group wrap="nowrap" gap="sm">
          <Mark of={integration} />
          <Text fw={600} style={{ flex: 1 }}>
            {integration.title}
          </Text>
          {configuration && <Badge color={isOff ? "gray" : "teal"}>{isOff ? "off" : "set up"}</Badge>}
        </Group>
        <Text size="sm" c="dimmed" style={{ flex: 1 }}>
          {integration.receives}
        </Text>
        {mayChange && (
          <Group gap="xs">
            <Button
              size="xs"
              variant={configuration ? "default" : "light"}
              onClick={onEdit}
              aria-label={`${configuration ? "Edit" : "Set up"} ${integration.title}`}
            >
              {configuration ? "Edit" : "Set up"}
            </Button>
            {configuration && integration.told !== "asked" && (
              <Button
                size="xs"
                variant="default"
                onClick={onLook}
                aria-label={`What ${integration.title} was sent`}
              >
                Deliveries
              </Button>
            )}
            {configuration && (
              <Button
                size="xs"
                variant="subtle"
                color="red"
                onClick={onRemove}
                aria-label={`Delete ${integration.title}`}
              >
                Delete
              </Button>
            )}
          </Group>
        )}
      </Stack>
    </Card>
  );
}

interface IntegrationsProps {
  owner: Owner;
  title: string;
  mayChange: boolean;
  /** The integration whose form is open. */
  edited: string | undefined;
  onEdit: (name: string | undefined) => void;
}

export function Integrations({ owner, title, mayChange, edited, onEdit }: IntegrationsProps) {
  const named = useOwnFlag("integration_data");
  const integrations = integrationsOf(owner.level).filter(({ name }) => hasIntegration(name, named));
  const query = useConfigured(owner, integrations);
  const [looked, setLooked] = useState<{ integration: Integration; id: number }>();
  const [removed, setRemoved] = useState<{ integration: Integration; id: number }>();
  const end = useAct(
    ({ integration, id }: { integration: Integration; id: number }) => remove(owner, integration, id),
    { quiet: true, changes: [BELOW[owner.level]], done: "The integration is gone." },
  );
  const open = integrations.find((integration) => integration.name === edited);
  const groups = (Object.keys(TOLD) as Told[]).filter((told) =>
    integrations.some((integration) => integration.told === told),
  );
  return (
    <Loaded query={query}>
      {(configurations) => (
        <>
          {groups.map((told) => (
            <Section
              key={told}
              title={`${TOLD[told].label}, for ${title}`}
              description={TOLD[told].explained}
            >
              <SimpleGrid cols={{ base: 1, sm: 2, lg: 3 }}>
                {integrations.map((integration, place) => {
                  const configuration = configurations[place] ?? null;
                  return (
                    integration.told === told && (
                      <IntegrationCard
                        key={integration.name}
                        integration={integration}
                        configuration={configuration}
                        mayChange={mayChange}
                        onEdit={() => onEdit(integration.name)}
                        onLook={() => configuration && setLooked({ integration, id: configuration.id })}
                        onRemove={() => configuration && setRemoved({ integration, id: configuration.id })}
                      />
                    )
                  );
                })}
              </SimpleGrid>
            </Section>
          ))}
          <Modal
            opened={open !== undefined && mayChange}
            onClose={() => onEdit(undefined)}
            title={open && `${open.title}, for ${title}`}
          >
            {open && (
              <IntegrationForm
                key={open.name}
                owner={owner}
                integration={open}
                configuration={configurations[integrations.indexOf(open)] ?? undefined}
                onClose={() => onEdit(undefined)}
              />
            )}
          </Modal>
          <Modal
            opened={looked !== undefined}
            onClose={() => setLooked(undefined)}
            title={`What ${looked?.integration.title} was sent`}
            size="lg"
          >
            {looked && <Deliveries owner={owner} {...looked} />}
          </Modal>
          <Confirm
            opened={removed !== undefined}
            onClose={() => setRemoved(undefined)}
            title={`Delete ${removed?.integration.title}`}
            name={removed?.integration.title}
            onConfirm={async () => {
              if (removed) await end.mutateAsync(removed);
            }}
          >
            It is told nothing from then on, and its secrets are forgotten here.
          </Confirm>
        </>
      )}
    </Loaded>
  );
}
