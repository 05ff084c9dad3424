/** Looks up where one member stands. */
import { Alert, Button, Group, TextInput } from "@mantine/core";
import { IconSearch } from "@tabler/icons-react";
import { useState } from "react";
import { useAct } from "~/api/act";
import { http } from "~/api/client";
import { Refusal } from "~/session/refusal";
import { usePlace } from "~/shell/place";
import { IDENTIFIERS, type ListSegment } from "./lists";

function standing({ included, excluded }: { included: boolean; excluded: boolean }): string {
  if (included) return "is on the list: in the segment.";
  return excluded ? "is excluded: not in the segment." : "is on no list here: the rules decide.";
}

export function LookUp({ list }: { list: ListSegment }) {
  const { environment } = usePlace();
  const [member, setMember] = useState("");
  const ask = useAct(
    (member: string) =>
      http.GET("/api/v1/environments/{environment_key}/list-segments/{segment_key}/members/lookup/", {
        params: {
          path: { environment_key: environment.api_key, segment_key: list.key },
          query: { member },
        },
      }),
    { quiet: true },
  );
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        ask.mutate(member.trim());
      }}
    >
      <Group align="flex-end" gap="xs">
        <TextInput
          label="Look somebody up"
          placeholder={
            list.context_kind === IDENTIFIERS ? "identifier, exactly" : `${list.context_kind}, exactly`
          }
          value={member}
          onChange={(event) => {
            setMember(event.currentTarget.value);
            ask.reset();
          }}
          style={{ flex: "1 1 14rem" }}
          maw={420}
        />
        <Button
          type="submit"
          variant="default"
          leftSection={<IconSearch size={16} />}
          loading={ask.isPending}
          disabled={!member.trim()}
        >
          Look up
        </Button>
      </Group>
      <Refusal error={ask.error} />
      {ask.data && (
        <Alert
          mt="sm"
          role="status"
          color={ask.data.included ? "teal" : ask.data.excluded ? "orange" : "gray"}
          style={{ overflowWrap: "anywhere" }}
        >
          <strong>{ask.data.member}</strong> {standing(ask.data)}
        </Alert>
      )}
    </form>
  );
}
