/** What a change request says besides the change: its title, why, and who should look at it. */
import { MultiSelect, Textarea } from "@mantine/core";
import { useMembers } from "~/organisation/members";
import { useIsOn } from "~/own-flags/client";
import { nameOf } from "~/parts/person";
import { TextField } from "~/parts/text-field";
import { useMe } from "~/shell/user-menu";

export interface Asked {
  title: string;
  description: string;
  /** The ids of users. */
  reviewers: string[];
}

interface AskFieldsProps {
  organisation: number;
  asked: Asked;
  onChange: (asked: Asked) => void;
}

export function AskFields({ organisation, asked, onChange }: AskFieldsProps) {
  const me = useMe().data;
  const members = useMembers(organisation).data ?? [];
  const asksByName = !useIsOn("disable_users_as_reviewers");
  return (
    <>
      <TextField
        label="Title"
        required
        value={asked.title}
        onChange={(title) => onChange({ ...asked, title })}
      />
      <Textarea
        label="Why"
        autosize
        minRows={2}
        value={asked.description}
        onChange={(event) => onChange({ ...asked, description: event.currentTarget.value })}
      />
      {asksByName && (
        <MultiSelect
          label="Reviewers"
          placeholder={asked.reviewers.length === 0 ? "Who should look at it" : undefined}
          searchable
          data={members
            .filter((member) => member.id !== me?.id)
            .map((member) => ({ value: String(member.id), label: nameOf(member) }))}
          value={asked.reviewers}
          onChange={(reviewers) => onChange({ ...asked, reviewers })}
        />
      )}
    </>
  );
}
