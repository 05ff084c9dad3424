/** Which attributes of a SAML provider say what of a user. */
import { Button, Group, Select, Stack, Table, Text } from "@mantine/core";
import { IconTrash } from "@tabler/icons-react";
import { useState } from "react";
import { useAct } from "~/api/act";
import { ALL, api, http, type Schema } from "~/api/client";
import { IconButton } from "~/parts/icon-button";
import { Loaded } from "~/parts/states";
import { TextField } from "~/parts/text-field";
import { about, Refusal } from "~/session/refusal";

const MAPPINGS = "/api/v1/auth/saml/attribute-mapping/";

type Meaning = Schema<"DjangoAttributeName">;

const MEANINGS: { value: Meaning; label: string }[] = [
  { value: "email", label: "E-mail address" },
  { value: "first_name", label: "First name" },
  { value: "last_name", label: "Last name" },
  { value: "groups", label: "Groups" },
];

function AddMapping({ saml, free }: { saml: number; free: typeof MEANINGS }) {
  const [meaning, setMeaning] = useState<Meaning | null>(null);
  const [attribute, setAttribute] = useState("");
  const add = useAct(
    (django_attribute_name: Meaning) =>
      http.POST(MAPPINGS, {
        body: { saml_configuration: saml, django_attribute_name, idp_attribute_name: attribute.trim() },
      }),
    {
      quiet: true,
      changes: [MAPPINGS],
      after: () => {
        setMeaning(null);
        setAttribute("");
      },
    },
  );
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (meaning) add.mutate(meaning);
      }}
    >
      <Refusal error={add.error} fields={["django_attribute_name", "idp_attribute_name"]} />
      <Group gap="xs" align="flex-end">
        <TextField
          label="Attribute there"
          placeholder="urn:oid:0.9.2342.19200300.100.1.3"
          value={attribute}
          onChange={setAttribute}
          error={about(add.error, "idp_attribute_name")}
          style={{ flex: "1 1 14rem" }}
        />
        <Select
          label="says the"
          data={free}
          value={meaning}
          onChange={(value) => setMeaning(value as Meaning | null)}
          error={about(add.error, "django_attribute_name")}
          w={180}
        />
        <Button
          type="submit"
          variant="default"
          loading={add.isPending}
          disabled={!meaning || !attribute.trim()}
        >
          Add
        </Button>
      </Group>
    </form>
  );
}

export function AttributeMappings({ saml }: { saml: number }) {
  const query = api.useQuery("get", MAPPINGS, {
    params: { query: { saml_configuration: saml, ...ALL } },
  });
  const remove = useAct(
    (id: number) => http.DELETE("/api/v1/auth/saml/attribute-mapping/{id}/", { params: { path: { id } } }),
    { changes: [MAPPINGS] },
  );
  return (
    <Loaded query={query} rows={1}>
      {({ results }) => (
        <Stack gap="xs">
          <Text size="sm" fw={600}>
            What its attributes say
          </Text>
          {results.length === 0 ? (
            <Text size="sm" c="dimmed">
              Nothing is said: the usual names of attributes are tried.
            </Text>
          ) : (
            <Table>
              <Table.Tbody>
                {results.map((one) => (
                  <Table.Tr key={one.id}>
                    <Table.Td className="mono">{one.idp_attribute_name}</Table.Td>
                    <Table.Td>
                      {MEANINGS.find((meaning) => meaning.value === one.django_attribute_name)?.label}
                    </Table.Td>
                    <Table.Td w={50}>
                      <IconButton
                        aria-label={`Remove the attribute ${one.idp_attribute_name}`}
                        onClick={() => remove.mutate(one.id)}
                      >
                        <IconTrash size={16} />
                      </IconButton>
                    </Table.Td>
                  </Table.Tr>
                ))}
              </Table.Tbody>
            </Table>
          )}
          <AddMapping
            saml={saml}
            free={MEANINGS.filter(({ value }) => !results.some((one) => one.django_attribute_name === value))}
          />
        </Stack>
      )}
    </Loaded>
  );
}
